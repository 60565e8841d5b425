/** The usual names, of which the first that is there counts. */
const times = ['createdAt', 'timestamp', 'created_at', 'enqueued_at', 'enqueuedAt', 'pushedAt', 'queuedAt'];
const names = ['name', 'type', 'class', 'task', 'job', 'displayName'];
/** Longer jobs are not parsed: their age is not worth it. */
const longest = 256 * 1024;

/** When a job was made and what it is called, of one that is JSON; never anything else of it. */
export function jobFacts(text: string): { at: number | null; name: string | null } {
  const unknown = { at: null, name: null };
  if (!text.startsWith('{') || text.length > longest) return unknown;
  let job: unknown;
  try {
    job = JSON.parse(text);
  } catch {
    return unknown;
  }
  if (typeof job !== 'object' || job === null) return unknown;
  const fields = new Map<string, unknown>(Object.entries(job));
  const at = times.map((field) => momentOf(fields.get(field))).find((moment) => moment !== undefined);
  const name = names.map((field) => fields.get(field)).find((value) => isName(value));
  return { at: at ?? null, name: typeof name === 'string' ? name : null };
}

/** A word, and no text: whatever else stands there is data. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z_][\w.:/-]{0,59}$/.test(value) && !/\d{4}/.test(value);
}

function momentOf(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const parsed = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number(value);
    return plausible(parsed);
  }
  return typeof value === 'number' ? plausible(value) : undefined;
}

function plausible(value: number): number | undefined {
  if (value > 1e12 && value < 4e12) return value;
  return value > 1e9 && value < 4e9 ? value * 1000 : undefined;
}
