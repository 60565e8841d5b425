/** INFO's fields by name. Sections are flattened: field names are unique across the sections of one server. */
export type Info = ReadonlyMap<string, string>;

/** Parses an INFO reply. Lines that are not `name:value` are skipped, never an error: newer servers add forms. */
export function parseInfo(text: string): Info {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** A whole number, or undefined when the field is missing or is none. */
export function infoInteger(info: Info, field: string): number | undefined {
  const text = info.get(field);
  const number = text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Key counts by database number from `db0:keys=3,expires=1,avg_ttl=0`. */
export function infoKeyspace(info: Info): Record<string, { keys: number; expires: number }> {
  const databases: Record<string, { keys: number; expires: number }> = {};
  for (const [field, value] of info) {
    const number = /^db(\d{1,9})$/.exec(field)?.[1];
    const keys = /(?:^|,)keys=(\d{1,15})/.exec(value)?.[1];
    const expires = /(?:^|,)expires=(\d{1,15})/.exec(value)?.[1];
    if (number === undefined || keys === undefined) continue;
    databases[number] = { keys: Number(keys), expires: Number(expires ?? 0) };
  }
  return databases;
}
