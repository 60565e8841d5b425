/** A connection, as CLIENT LIST shows it. */
export interface ListedClient {
  id: number;
  address: string;
  name: string;
  user: string;
  /** Seconds since it was opened. */
  age: number;
  flags: string;
  command: string;
}

/** The address of a connection that the other side has reset, which the server has not closed yet: nobody is there. */
export const gone = '?:0';

/** Lines of CLIENT LIST, but for those of connections that are gone. */
export function parseClientList(text: string): ListedClient[] {
  return text.split('\n').flatMap((line) => {
    const fields = new Map(
      line.split(' ').flatMap((part) => {
        const equals = part.indexOf('=');
        return equals > 0 ? [[part.slice(0, equals), part.slice(equals + 1).trim()] as const] : [];
      }),
    );
    const id = Number(fields.get('id'));
    if (!fields.has('id') || Number.isNaN(id) || fields.get('addr') === gone) return [];
    return [
      {
        id,
        address: fields.get('addr') ?? '',
        name: fields.get('name') ?? '',
        user: fields.get('user') ?? '',
        age: Number(fields.get('age') ?? 0),
        flags: fields.get('flags') ?? '',
        command: fields.get('cmd') ?? '',
      },
    ];
  });
}
