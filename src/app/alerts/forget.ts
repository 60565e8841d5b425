import { forgetAlerts } from '../../state/alerts/alerts.ts';
import { forgetFiles } from '../../state/alerts/files.ts';
import { forgetNotices } from '../../state/alerts/outbox.ts';
import { forgetSilences } from '../../state/alerts/silences.ts';
import type { State } from '../../state/db/open.ts';

/** What was sent is kept for so long. Milliseconds. */
const sentMs = 30 * 24 * 60 * 60 * 1000;

/** Drops alerts that were over before then, silences that had ended, and what was sent a month ago. */
export function forgetAlertHistory(state: State, before: number, now: number): void {
  forgetAlerts(state, before);
  forgetSilences(state, before);
  forgetNotices(state, now - sentMs);
  forgetFiles(state);
}
