import type { FrameLimits } from '../../lib/verbs/frames.ts';

/** The terminal of who asks, as the other side has to know it. */
export interface TerminalSize {
  columns?: number | undefined;
  rows?: number | undefined;
}

/** What comes from the terminal; the first is `start`. With `input` come its bytes. */
export type FromTerminal =
  | ({
      kind: 'start';
      argv: string[];
      /** Of NO_COLOR and TERM, what is set. */
      env: Record<string, string>;
      /** Which of the streams are a terminal. */
      terminal: { stdin: boolean; stdout: boolean; stderr: boolean };
    } & TerminalSize)
  | { kind: 'input' }
  | { kind: 'input-end' }
  | { kind: 'stop'; by: string }
  | ({ kind: 'size' } & TerminalSize);

/** What goes to it: bytes of one write, at the end the exit status. */
export type ToTerminal = { kind: 'stdout' | 'stderr' } | { kind: 'exit'; code: number };

export const terminalLimits: FrameLimits = { head: 64 * 1024, bytes: 1024 * 1024 };

/** Of the asking side's environment only these count. */
export const passedOn = ['NO_COLOR', 'TERM'];

/**
 * What another process writes for a terminal, less all that could do more there than show text in colours and draw a line
 * anew. It has come in the pieces in which it was written, so no sequence is cut in two.
 */
export function tamed(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /(\u001B\[[\d;]{0,16}[mK])|[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]|[\u202A-\u202E\u2066-\u2069]/g,
    (_, kept: string | undefined) => kept ?? '\u{FFFD}',
  );
}
