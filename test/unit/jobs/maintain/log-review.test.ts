import { expect, test } from 'vitest';
import type { EvidenceSource } from '../../../../src/jobs/maintain/evidence/source.ts';
import { logReview } from '../../../../src/jobs/maintain/evidence/log-review.ts';

/** What a server answers of its settings; one that goes into the background by itself would outlive a test that fails. */
function serverWith(settings: Record<string, string>): EvidenceSource {
  const call = (...[, , name = '']: string[]): Promise<string[]> =>
    Promise.resolve([name, settings[name] ?? '']);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this task does not look at is left out
  return { connect: () => Promise.resolve({ call }), now: 0, last: undefined } as unknown as EvidenceSource;
}

test('a server in the background without a logfile keeps no log, and is told', async () => {
  expect(await logReview(serverWith({ logfile: '', daemonize: 'yes' }))).toEqual([
    { text: expect.stringContaining('/dev/null'), ok: false },
  ]);
  expect(await logReview(serverWith({ logfile: '', daemonize: 'no' }))).toEqual([
    { text: expect.stringContaining('standard output'), ok: true },
  ]);
});
