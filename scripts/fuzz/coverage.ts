import { Session, type Profiler } from 'node:inspector';

/** Which characters of which source files have run, by V8's own count of blocks. */
export class Coverage {
  readonly #session = new Session();
  readonly #files: RegExp;
  /** Per file and character: 2 has run, 1 has not, 0 belongs to no function. */
  readonly #seen = new Map<string, Uint8Array>();

  constructor(files: RegExp) {
    this.#files = files;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Characters that ran since the last call and never before. They count as seen from now on if `keep`. */
  take(keep: boolean): number {
    let fresh = 0;
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      for (const script of result) if (this.#files.test(script.url)) fresh += this.#add(script, keep);
    });
    return fresh;
  }

  /** The session calls back before `post` returns. */
  #add({ url, functions: all }: Profiler.ScriptCoverage, keep: boolean): number {
    // Without the module's own code, which ran when it was imported.
    const functions = all.filter(({ ranges }) => ranges[0]?.startOffset !== 0);
    const ranges = functions.flatMap((each) => each.ranges);
    const length = Math.max(0, ...ranges.map(({ endOffset }) => endOffset));
    const ran = new Uint8Array(length);
    // Outer ranges come before inner ones, whose count is what matters.
    for (const { startOffset, endOffset, count } of ranges)
      ran.fill(count > 0 ? 2 : 1, startOffset, endOffset);
    const seen = this.#seenOf(url, length);
    let fresh = 0;
    // By index: an iterator takes ten times as long, and this is what the fuzzer's speed hangs on.
    for (let at = 0; at < length; at++) {
      const state = ran[at] ?? 0;
      if (state === 2 && seen[at] !== 2) fresh++;
      if (keep && state > (seen[at] ?? 0)) seen[at] = state;
    }
    return fresh;
  }

  #seenOf(url: string, length: number): Uint8Array {
    const before = this.#seen.get(url) ?? new Uint8Array(0);
    if (before.length >= length) return before;
    const seen = new Uint8Array(length);
    seen.set(before);
    this.#seen.set(url, seen);
    return seen;
  }

  /** Per file: the share of its functions' characters that have run, in percent. */
  shares(): Record<string, number> {
    return Object.fromEntries(
      [...this.#seen].map(([url, seen]) => [
        url.replace(/.*\/src\//, ''),
        Math.round(
          (1000 * seen.filter((state) => state === 2).length) / seen.filter((state) => state > 0).length,
        ) / 10,
      ]),
    );
  }
}
