import type { Reply } from './connection/connect.ts';

/** One line of ACL LOG: what was refused, to whom, and how often. */
export interface Denial {
  user: string;
  /** `auth`, `command`, `key`, `channel`. */
  reason: string;
  object: string;
  /** `?:0` of the client that loads an AOF. */
  address: string;
  count: number;
  /** Seconds since it was last refused; undefined where that is no number. */
  age: number | undefined;
  /** Of the line, which the server adds to for a minute; undefined before 7.2. */
  id?: string | undefined;
  /** What the client calls itself. */
  name?: string;
}

/** What the server keeps by itself, if nobody has changed it. */
export const aclLogCommand: [string, string, string] = ['ACL', 'LOG', '128'];

/** Flat lists of names and values, one for each line. What is no such list gives nothing. */
export function readAclLog(reply: Reply): Denial[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((line) => {
    if (!Array.isArray(line)) return [];
    const fields = new Map<string, string>();
    for (let at = 0; at + 1 < line.length; at += 2) fields.set(String(line[at]), String(line[at + 1]));
    const count = Number(fields.get('count') ?? 1);
    const age = Number(fields.get('age-seconds') ?? Number.NaN);
    const client = ` ${fields.get('client-info') ?? ''}`;
    return [
      {
        user: fields.get('username') ?? '',
        reason: fields.get('reason') ?? '',
        object: fields.get('object') ?? '',
        address: / addr=(\S{0,100})/.exec(client)?.[1] ?? '',
        count: Number.isSafeInteger(count) && count > 0 ? count : 0,
        age: Number.isFinite(age) ? age : undefined,
        id: fields.get('entry-id'),
        name: / name=(\S{0,100})/.exec(client)?.[1] ?? '',
      },
    ];
  });
}
