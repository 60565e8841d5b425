import type { ConfFault } from '../conf/fault.ts';
import { asText } from '../conf/document.ts';
import { atLeastVersion } from '../conf/engine.ts';
import type { AclContext } from './acl-context.ts';
import { applyRules, newUser, type AclFault } from './apply-rules.ts';
import type { AclUser } from './user.ts';

/** A user's line, wherever it stands. */
export interface UserLine {
  name: string;
  rules: { text: string; column: number }[];
  place: { file: string; line: number; column: number };
}

/** An aclfile without loss: `printAclFile(parseAclFile(bytes))` gives the same bytes. */
export interface AclFile {
  lines: { line: number; raw: string; user: UserLine | undefined; fault: string | undefined }[];
}

/** As acl.c reads it: a user a line, words between single blanks, no quotes and no comments. */
export function parseAclFile(source: Uint8Array | string, file: string): AclFile {
  const text = Buffer.from(source).toString('latin1');
  return {
    lines: text
      .split('\n')
      .map((raw, at) => ({ line: at + 1, raw, ...parseLine(raw, { file, line: at + 1 }) })),
  };
}

export function printAclFile({ lines }: AclFile): Uint8Array {
  return Buffer.from(lines.map(({ raw }) => raw).join('\n'), 'latin1');
}

function parseLine(
  raw: string,
  { file, line }: { file: string; line: number },
): { user: UserLine | undefined; fault: string | undefined } {
  const lead = /^[ \t\r]*/.exec(raw)?.[0].length ?? 0;
  const text = raw.slice(lead).replace(/[ \t\r]+$/, '');
  if (text === '') return { user: undefined, fault: undefined };
  if (text.startsWith('#'))
    return { user: undefined, fault: 'a comment: an aclfile takes none, the server does not start with it' };
  if (raw.includes('\0')) return { user: undefined, fault: 'a NUL byte: this is no text' };
  const words: { text: string; column: number }[] = [];
  let column = lead + 1;
  for (const word of text.split(' ')) {
    words.push({ text: asText(word), column });
    column += word.length + 1;
  }
  const [keyword, name, ...rules] = words;
  if (keyword?.text !== 'user')
    return { user: undefined, fault: 'each line begins with the word user, and nothing else' };
  if (name === undefined || name.text === '')
    return { user: undefined, fault: 'after user stands a name, with one blank before it' };
  // The server passes over the empty words that two blanks make.
  return {
    user: {
      name: name.text,
      rules: rules.filter((rule) => rule.text !== ''),
      place: { file, line, column: lead + 1 },
    },
    fault: undefined,
  };
}

/** A user with the lines that made it. */
export interface LoadedUser {
  user: AclUser;
  line: UserLine;
  faults: AclFault[];
}

/** The users that a server has after it has read the lines; `twice` names lines that it refuses for their name. */
function loadUsers(
  lines: readonly UserLine[],
  context: AclContext,
): { users: Map<string, LoadedUser>; twice: UserLine[] } {
  const users = new Map<string, LoadedUser>();
  const twice: UserLine[] = [];
  for (const line of lines) {
    const before = users.get(line.name);
    if (before !== undefined) twice.push(line);
    const { user, faults } = applyRules(
      line.name,
      line.rules.map(({ text }) => text),
      context,
      before?.user ?? newUser(line.name, context),
    );
    users.set(line.name, { user, line, faults });
  }
  return { users, twice };
}

/** No hash of a password, which is hexadecimal. */
const beginsComment = /^#(?![\da-f]+$)/i;

/** Every line that a server refuses, where it stops at the first kind. */
export function checkAclFile(file: AclFile, context: AclContext): ConfFault[] {
  const base = { name: undefined, right: undefined, mended: undefined, weight: 'fatal' as const };
  const faults: ConfFault[] = file.lines.flatMap(({ line, fault, raw }) =>
    fault === undefined
      ? []
      : [
          {
            ...base,
            line,
            column: 1 + (/^[ \t]*/.exec(raw)?.[0].length ?? 0),
            kind: fault.startsWith('a comment') ? ('trailing-comment' as const) : ('rule' as const),
            message: fault,
          },
        ],
  );
  const lines = file.lines.flatMap(({ user }) => user ?? []);
  for (const line of lines) {
    const comment = line.rules.find(({ text }) => beginsComment.test(text));
    if (comment !== undefined) {
      faults.push({
        ...base,
        line: line.place.line,
        column: comment.column,
        kind: 'trailing-comment',
        message: 'a comment: an aclfile takes none, the server does not start with it',
      });
      continue;
    }
    for (const { word, why } of applyRules(
      line.name,
      line.rules.map(({ text }) => text),
      context,
    ).faults)
      faults.push({
        ...base,
        line: line.place.line,
        column: line.rules[word]?.column ?? line.place.column,
        kind: 'rule',
        message: why,
      });
  }
  const { engine } = context;
  if (engine.engine === 'valkey' || atLeastVersion(engine.version, '7.0'))
    for (const { place, name } of loadUsers(lines, context).twice)
      faults.push({
        ...base,
        ...place,
        kind: 'combination',
        message: `the user ${JSON.stringify(name)} is defined twice`,
      });
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
