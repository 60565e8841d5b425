import { splitLine } from '../conf/split-line.ts';

/**
 * What becomes of a user’s passwords in a file: one more, beside those that are there; or this one alone. Hashes, as the
 * server keeps them: no password is ever written.
 */
export type PasswordEdit = { add: string } | { only: string };

interface Word {
  text: string;
  /** From its first byte to behind its last. */
  start: number;
  end: number;
}

interface EditOptions {
  user: string;
  edit: PasswordEdit;
  hash(this: void, password: string): string;
}

/** Undefined: no line of the file is about that user. Everything else stays, byte for byte. */
export function editAclFile(bytes: Uint8Array, options: EditOptions): Uint8Array | undefined {
  return editLines(bytes, (raw) => {
    const words = aclWords(raw);
    return words[0]?.text === 'user' && words[1]?.text === options.user
      ? editRules(raw, words.slice(1), options)
      : undefined;
  });
}

/** The same for a redis.conf that holds `user` lines. */
export function editConfUsers(bytes: Uint8Array, options: EditOptions): Uint8Array | undefined {
  return editLines(bytes, (raw) => {
    const words = confWords(raw);
    return words[0]?.text.toLowerCase() === 'user' && words[1]?.text === options.user
      ? editRules(raw, words.slice(1), options)
      : undefined;
  });
}

/** A `requirepass` becomes the line of the default user that means the same: only such a line can hold two passwords. */
export function migrateRequirepass(
  bytes: Uint8Array,
  { hash, channels }: { hash(this: void, password: string): string; channels: boolean },
): Uint8Array | undefined {
  return editLines(bytes, (raw) => {
    const [name, value] = confWords(raw);
    if (name?.text.toLowerCase() !== 'requirepass' || value === undefined || value.text === '')
      return undefined;
    return `user default on #${hash(value.text)} ~*${channels ? ' &*' : ''} +@all${raw.endsWith('\r') ? '\r' : ''}`;
  });
}

/** The value of a directive that has one, on every line where it stands; undefined where it stands nowhere. */
export function setDirective(
  bytes: Uint8Array,
  directive: readonly string[],
  value: string,
): Uint8Array | undefined {
  return editLines(bytes, (raw) => {
    const [name, old] = confWords(raw);
    if (name === undefined || old === undefined || !directive.includes(name.text.toLowerCase()))
      return undefined;
    return raw.slice(0, old.start) + value + raw.slice(old.end);
  });
}

/** One more line at the end. */
export function appendLine(bytes: Uint8Array, line: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  return Buffer.from(`${text}${text === '' || text.endsWith('\n') ? '' : eol}${line}${eol}`, 'latin1');
}

function editLines(bytes: Uint8Array, edit: (raw: string) => string | undefined): Uint8Array | undefined {
  let found = false;
  const lines = Buffer.from(bytes)
    .toString('latin1')
    .split('\n')
    .map((raw) => {
      const edited = edit(raw);
      if (edited !== undefined) found = true;
      return edited ?? raw;
    });
  return found ? Buffer.from(lines.join('\n'), 'latin1') : undefined;
}

/** `words`: the user’s name and its rules. */
function editRules(raw: string, words: readonly Word[], { edit, hash }: EditOptions): string {
  const rules = words.slice(1);
  const wanted = 'add' in edit ? edit.add : edit.only;
  const hashOf = ({ text }: Word): string | undefined => {
    if (text.startsWith('>')) return hash(text.slice(1));
    return text.startsWith('#') ? text.slice(1) : undefined;
  };
  const gone =
    'add' in edit
      ? []
      : rules.filter(
          (rule) =>
            /^[<!]/.test(rule.text) || (hashOf(rule) ?? wanted) !== wanted || rule.text.startsWith('>'),
        );
  const kept = rules.some((rule) => !gone.includes(rule) && hashOf(rule) === wanted);
  let edited = raw;
  const last = words.at(-1);
  if (!kept && last !== undefined) edited = `${raw.slice(0, last.end)} #${wanted}${raw.slice(last.end)}`;
  for (const { start, end } of gone.toReversed()) edited = edited.slice(0, start - 1) + edited.slice(end);
  return edited;
}

function confWords(raw: string): Word[] {
  if (/^[ \t\r]*#/.test(raw)) return [];
  const split = splitLine(raw);
  return split.broken === undefined ? split.words : [];
}

/** As acl.c reads it: words between single blanks. */
function aclWords(raw: string): Word[] {
  const words: Word[] = [];
  let at = /^[ \t\r]*/.exec(raw)?.[0].length ?? 0;
  const text = raw.replace(/[ \t\r]+$/, '');
  for (const word of text.slice(at).split(' ')) {
    if (word !== '')
      words.push({ text: Buffer.from(word, 'latin1').toString('utf8'), start: at, end: at + word.length });
    at += word.length + 1;
  }
  return words;
}
