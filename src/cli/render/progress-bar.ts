import type { Clock } from '../../domain/clock.ts';
import type { Progress, ProgressReport } from '../../domain/progress.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';

export interface ProgressBarOptions {
  write: (text: string) => void;
  /** A terminal gets one line that is drawn over; anything else a line every few seconds. */
  terminal: boolean;
  width: number;
  clock: Clock;
}

/** A progress display that must be told when the work is over. */
export interface ProgressBar extends Progress {
  /** Clears the line. */
  end(): void;
}

const redraw = 100;
const lineEvery = 5000;

/** Draws progress with bytes, rate and time left. */
export function createProgressBar({ write, terminal, width, clock }: ProgressBarOptions): ProgressBar {
  let phase = '';
  let phaseStart = clock.monotonic();
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    report(state) {
      const now = clock.monotonic();
      if (state.phase !== phase) {
        phase = state.phase;
        phaseStart = now;
        // A terminal shows a new phase at once; a log only what lasts.
        lastDrawn = terminal ? Number.NEGATIVE_INFINITY : now;
      }
      if (now - lastDrawn < (terminal ? redraw : lineEvery)) return;
      lastDrawn = now;
      const text = describe(state, now - phaseStart);
      write(terminal ? `\r\u001b[K${text.slice(0, width - 1)}` : `${text}\n`);
      drawn = true;
    },
    end() {
      if (terminal && drawn) write('\r\u001b[K');
      drawn = false;
    },
  };
}

/** Shows nothing. */
export const silentProgress: Progress = { report() {} };

function describe({ phase, done, total, unit }: ProgressReport, elapsed: number): string {
  if (done === undefined) return `${phase} …`;
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  const parts = [phase.padEnd(10)];
  if (share !== undefined) parts.push(bar(share), `${Math.floor(share * 100)}%`.padStart(4));
  if (unit === 'bytes') {
    parts.push(total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`);
    if (elapsed > 500) parts.push(`${formatBytes((done / elapsed) * 1000)}/s`);
  }
  if (share !== undefined && share > 0.02 && elapsed > 1000)
    parts.push(`${formatDuration((elapsed / share) * (1 - share))} left`);
  return parts.join(' ');
}

function bar(share: number): string {
  const cells = 20;
  const full = Math.round(share * cells);
  return `[${'#'.repeat(full)}${'.'.repeat(cells - full)}]`;
}
