import * as z from 'zod';
import type { VerifySettings } from '../../domain/settings/verify.ts';
import { schedule } from '../fields.ts';
import type { Section } from './section.ts';

export const verifySection: Section<VerifySettings> = {
  schema: () =>
    z
      .strictObject({
        schedule: schedule.default('30 3 * * 0'),
        after_backup: z.boolean().default(true),
        load: z.boolean().default(true),
        deep: z.boolean().default(false),
      })
      .prefault({}),
  show: (verify) => ({ ...verify, schedule: verify.schedule ?? 'off' }),
  example: `verify:
  # When every stored backup is read back, or off.
  schedule: "30 3 * * 0"
  # Prove each backup right after it was taken.
  after_backup: true
  # Let that load it into a scratch server, where memory allows.
  load: true
  # Let it decode every value then, too: half as much work again, and a live restore begins at once.
  deep: false
`,
};
