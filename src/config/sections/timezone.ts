import { timezone } from '../fields.ts';
import type { Section } from './section.ts';

export const timezoneSection: Section<string | undefined> = {
  schema: () => timezone.optional(),
  example: `# For schedules and for times shown to people. Default: the host's own.
# timezone: Europe/Berlin
`,
};
