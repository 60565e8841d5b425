import * as z from 'zod';
import type { StateSettings } from '../../domain/settings/state.ts';
import { path } from '../fields.ts';
import type { Section } from './section.ts';

export const stateSection: Section<StateSettings> = {
  schema: (folder) => z.strictObject({ path: path(folder).default('/var/lib/redis-agent') }).prefault({}),
  example: `# History and findings. Losing it loses no backup.
state: { path: /var/lib/redis-agent }
`,
};
