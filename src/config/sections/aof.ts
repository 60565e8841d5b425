import * as z from 'zod';
import type { AofSettings } from '../../domain/settings/aof.ts';
import { schedule } from '../fields.ts';
import type { Section } from './section.ts';

export const aofSection: Section<AofSettings> = {
  schema: () => z.strictObject({ schedule: schedule.default('15 * * * *') }).prefault({}),
  show: (aof) => ({ schedule: aof.schedule ?? 'off' }),
  example: `aof:
  # When the append only file is checked, or off: what it has grown by, and all of it once a week.
  schedule: "15 * * * *"
`,
};
