import { asText, type ConfDocument } from '../../formats/conf/document.ts';
import { endOf, lastLine, newLines, type LineEdit } from '../../formats/conf/edit-conf.ts';
import type { ChangePlace } from '../changes.ts';
import type { UserWork } from './merge-plans.ts';

/** Where users stand: in the aclfile, or inline in the configuration. */
export interface UserFiles {
  kind: 'aclfile' | 'conf';
  /** The aclfile alone, or the configuration with all that it includes, the main file first. */
  files: readonly { path: string; document: ConfDocument }[];
  /** Lines of users, by name; the last counts. */
  places: ReadonlyMap<string, readonly ChangePlace[]>;
}

/**
 * The lines of users in the files: each in the place where it stands, whoever has written it, since a server that finds a
 * user twice does not start; new ones behind the others. No comment ever goes into an aclfile.
 */
export function userEdits(
  { kind, files, places }: UserFiles,
  work: readonly UserWork[],
): { edits: Map<string, LineEdit[]>; where: Map<string, ChangePlace> } {
  const edits = new Map<string, LineEdit[]>();
  const where = new Map<string, ChangePlace>();
  const add = (path: string, edit: LineEdit): void =>
    void edits.set(path, [...(edits.get(path) ?? []), edit]);
  const fresh: string[] = [];
  for (const { user, line } of work) {
    if (line === undefined) continue;
    const words = ['user', user, ...line].map((word) => (kind === 'conf' ? confWord(word) : word)).join(' ');
    const place = places.get(user)?.at(-1);
    const document = files.find(({ path }) => path === place?.file)?.document;
    if (place === undefined || document === undefined) {
      fresh.push(words);
      continue;
    }
    where.set(user, place);
    const raw = document.lines[place.line - 1]?.raw ?? '';
    const indent = /^[ \t]*/.exec(raw)?.[0] ?? '';
    const end = raw.endsWith('\r') ? '\r' : '';
    add(place.file, {
      at: place.line - 1,
      remove: 1,
      insert: [`${indent}${Buffer.from(words).toString('latin1')}${end}`],
    });
  }
  const [main] = files;
  if (fresh.length > 0 && main !== undefined) {
    const { path, document } = main;
    const head = kind === 'conf' ? ['', '# From here: redis-agent harden, users.'] : [];
    add(path, {
      at: kind === 'conf' ? endOf(document) : lastLine(document),
      remove: 0,
      insert: newLines(document, [...head, ...fresh]),
    });
  }
  return { edits, where };
}

/** Quoted where the server would split it or read an escape. */
function confWord(word: string): string {
  return word === '' || /["'\\\s]/.test(word) ? `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"` : word;
}

/** A line of a user as it may be seen: without passwords, their hashes, and what is a placeholder. */
export function withoutPasswords(raw: string): string {
  return asText(raw).replaceAll(
    /(^|\s)(?:"([>#<!])(?:\\.|[^"\\])*"?|'([>#<!])(?:\\'|[^'])*'?|([>#<!])\S*)/g,
    '$1$2$3$4…',
  );
}
