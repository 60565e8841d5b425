import type { AuditReport } from '../../harden/audit/report.ts';
import { longPatience, type Job } from '../job.ts';
import { auditRules } from './audit-rules.ts';
import type { AuditOptions } from './audit.ts';

/** Judges how open and how safe a server is, by what it says, its files and its host. Reads only. */
export const auditJob: Job<AuditOptions, AuditReport> = {
  name: 'audit',
  effect: ({ look, only }) => (look === true || only !== undefined ? 'look' : 'work'),
  command: 'audit',
  lock: 'audit',
  uses: ['server'],
  rules: auditRules,
  schedule: ({ audit }) =>
    audit.schedule === null
      ? null
      : {
          cron: audit.schedule,
          jitter: 60_000,
          lastDone: ({ lastSuccess }) => lastSuccess(),
          patience: longPatience,
          start: (begin) => begin(auditJob, {}),
        },
  run: async (context, options) => await (await import('./audit.ts')).audit(context, options),
};

/** The same, told only where something has got worse: what was open stays, what is new and not critical waits. */
export const quietAuditJob: Job<object, AuditReport | null> = {
  name: 'quiet-audit',
  effect: 'work',
  command: null,
  lock: 'audit',
  uses: ['server'],
  rules: auditRules,
  schedule: ({ audit }) =>
    audit.quiet_schedule === null
      ? null
      : {
          cron: audit.quiet_schedule,
          jitter: 60_000,
          lastDone: () => undefined,
          patience: longPatience,
          start: (begin) => begin(quietAuditJob, {}),
        },
  run: async (context) => await (await import('./audit.ts')).auditQuietly(context),
};
