import { printable } from '../../lib/printable.ts';

/** A line of the unit's journal. */
export function say(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
