import { generatedFrom, type ConfDocument } from '../../formats/conf/document.ts';
import { endOf, lastLine, newLines, withValue, type LineEdit } from '../../formats/conf/edit-conf.ts';
import type { ConfEntry } from '../../redis/conf/resolve-conf.ts';
import type { ChangePlace } from '../changes.ts';

interface Addition {
  reason: string;
  lines: string[];
}

/** Gathers what is to be changed in which file: lines of ours are added together, behind what people have written. */
export class EditsOfFiles {
  readonly #files: readonly { path: string; document: ConfDocument }[];
  readonly #policy: string;
  readonly #edits = new Map<string, LineEdit[]>();
  /** By file: before what the server has written itself, and behind it. */
  readonly #added = new Map<string, { before: Addition[]; behind: Addition[] }>();

  constructor(files: readonly { path: string; document: ConfDocument }[], policy: string) {
    this.#files = files;
    this.#policy = policy;
  }

  /** The value in the place of the line that counts; returns that place, null where it is a new line. */
  set(name: string, value: string, reason: string, entries: readonly ConfEntry[]): ChangePlace | null {
    const place = entries.at(-1)?.place;
    const line = `${name} ${value === '' ? '""' : value}`;
    if (place === undefined) {
      this.#add(this.#files[0]?.path, 'before', { reason, lines: [line] });
      return null;
    }
    if (this.#isGenerated(place)) this.#add(place.file, 'behind', { reason, lines: [line] });
    else this.#replace(place, [withValue(this.#line(place), value === '' ? '""' : value)]);
    return { file: place.file, line: place.line };
  }

  /**
   * Lines of a directive that adds up: in the place of the first, where all of them stand in one file and people wrote them;
   * else behind the last, after one that clears them where `clear` says so.
   */
  setLines(
    name: string,
    values: readonly string[],
    reason: string,
    entries: readonly ConfEntry[],
    { clear = false } = {},
  ): ChangePlace | null {
    const lines = values.map((value) => `${name} ${value}`);
    const places = entries.flatMap(({ place }) => place ?? []);
    const [first, ...others] = places;
    const last = places.at(-1);
    if (first === undefined || last === undefined) {
      this.#add(this.#files[0]?.path, 'before', { reason, lines });
      return null;
    }
    if (places.every((place) => place.file === first.file && !this.#isGenerated(place))) {
      this.#replace(first, newLines(this.#document(first.file), lines));
      for (const place of others) this.#replace(place, []);
    } else this.#add(last.file, 'behind', { reason, lines: [...(clear ? [`${name} ""`] : []), ...lines] });
    return { file: first.file, line: first.line };
  }

  all(): Map<string, LineEdit[]> {
    const result = new Map(this.#edits);
    for (const [path, { before, behind }] of this.#added) {
      const document = this.#document(path);
      const places = [
        { at: endOf(document), additions: before },
        { at: lastLine(document), additions: behind },
      ];
      const edits = places.flatMap(({ at, additions }) =>
        additions.length === 0 ? [] : [{ at, remove: 0, insert: newLines(document, this.#block(additions)) }],
      );
      result.set(path, [...(result.get(path) ?? []), ...edits]);
    }
    return result;
  }

  #block(additions: readonly Addition[]): string[] {
    const head = ['', `# From here: redis-agent harden, policy ${this.#policy}.`];
    return [...head, ...additions.flatMap(({ reason, lines }) => [`# ${reason}`, ...lines])];
  }

  #add(path: string | undefined, where: 'before' | 'behind', addition: Addition): void {
    if (path === undefined) throw new Error('there is no file to write to');
    const added = this.#added.get(path) ?? { before: [], behind: [] };
    added[where].push(addition);
    this.#added.set(path, added);
  }

  #replace({ file, line }: ChangePlace, insert: string[]): void {
    this.#edits.set(file, [...(this.#edits.get(file) ?? []), { at: line - 1, remove: 1, insert }]);
  }

  #document(path: string): ConfDocument {
    const found = this.#files.find((file) => file.path === path);
    if (found === undefined) throw new Error(`${path} was not read`);
    return found.document;
  }

  #line({ file, line }: ChangePlace): { raw: string; name: string } {
    const found = this.#document(file).lines[line - 1];
    return { raw: found?.raw ?? '', name: found?.kind === 'directive' ? found.name : '' };
  }

  #isGenerated({ file, line }: ChangePlace): boolean {
    const from = generatedFrom(this.#document(file));
    return from !== undefined && line > from;
  }
}
