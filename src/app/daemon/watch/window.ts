import type { Sample } from '../../../domain/sample.ts';

/** Rules look back a quarter of an hour; a little more, so that this much lies between the first and the last. */
const span = 20 * 60_000;
/** More than any interval gives, even at the shortest one. */
const most = 1300;
/** A wall clock that runs on while the other one stood, or jumps: the host slept, or its time was set. */
const jump = 30_000;

/** The samples that rules judge from, without a gap between them. */
export class Window {
  #samples: Sample[] = [];

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Adds one; what lies before a gap is forgotten, since no difference across it means anything. */
  add(sample: Sample, interval: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && isGap(last, sample, interval)) this.#samples = [];
    this.#samples.push(sample);
    const first = this.#samples.findIndex(({ elapsed }) => elapsed >= sample.elapsed - span);
    this.#samples.splice(0, Math.max(first, this.#samples.length - most));
  }
}

function isGap(before: Sample, after: Sample, interval: number): boolean {
  const elapsed = after.elapsed - before.elapsed;
  return elapsed > 4 * interval + jump || Math.abs(after.at - before.at - elapsed) > jump;
}
