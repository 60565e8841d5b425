import * as z from 'zod';
import type { AuditSettings } from '../../domain/settings/audit.ts';
import { schedule, text } from '../fields.ts';
import type { Section } from './section.ts';

const waiver = z.strictObject({
  rule: z.string().regex(/^[A-Z]{3}\d{2}$/, 'is no rule of the audit, such as ACL10'),
  resource: text.optional(),
  instance: text.optional(),
  reason: text,
  author: text,
  until: z.iso.date('is no date such as 2027-03-31; a waiver has an end'),
});

export const auditSection: Section<AuditSettings> = {
  schema: () =>
    z
      .strictObject({
        schedule: schedule.default('0 6 1 */3 *'),
        quiet_schedule: schedule.default('0 6 1 * *'),
        waivers: z.array(waiver).default([]),
      })
      .prefault({}),
  show: (audit) => ({
    ...audit,
    schedule: audit.schedule ?? 'off',
    quiet_schedule: audit.quiet_schedule ?? 'off',
  }),
  example: `audit:
  # How open and how safe each server is, or off: every quarter, told as findings.
  schedule: "0 6 1 */3 *"
  # And every month, told only where something got worse.
  quiet_schedule: "0 6 1 * *"
  # What you have accepted, for a while: shown as waived, and a finding when it ends.
  # waivers:
  #   - { rule: ACL10, resource: app, reason: "one application, its own server", author: kim, until: 2027-03-31 }
`,
};
