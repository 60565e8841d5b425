import { printable } from '../../lib/text/printable.ts';

/** A line of the unit's journal. */
export function say(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
