import { hostname } from 'node:os';
import { statusSchema, type StatusObject } from '../../backup/fleet/status-object.ts';
import { atLeast, severities, type Severity } from '../../domain/finding.ts';
import { messageOf } from '../../domain/errors.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { openFindings } from '../../state/episodes.ts';
import { lastDetails, lastRun } from '../../state/runs.ts';
import type { Job, JobContext } from '../job.ts';

/** Leaves beside the backups how this instance is, so that one repository shows which hosts of many need somebody. */
export const publishStatusJob: Job<object, StatusObject> = {
  name: 'publish-status',
  effect: 'look',
  unrecorded: true,
  command: null,
  lock: 'publish-status',
  uses: ['server', 'repository'],
  rules: [],
  schedule: () => ({
    cron: '41 * * * *',
    jitter: 5 * 60_000,
    lastDone: () => undefined,
    start: (run) => run(publishStatusJob, {}),
  }),
  async run(context) {
    const { instance, clock, signal, repository, writer } = context;
    const state = context.state();
    const open = openFindings(state, instance.name);
    const audit = lastRun(state, instance.name, 'audit', 'ok');
    const status: StatusObject = {
      schema: statusSchema,
      instance: instance.name,
      at: new Date(clock.now()).toISOString(),
      host: hostname().replaceAll(/[^\w.-]/g, '-'),
      agent_version: writer.agent_version,
      server: await readServer(context),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of every severity
      findings: Object.fromEntries(
        severities.map((severity) => [
          severity,
          open.filter((finding) => finding.severity === severity).length,
        ]),
      ) as Record<Severity, number>,
      worst: [
        ...new Set(open.filter(({ severity }) => atLeast(severity, 'high')).map(({ rule }) => rule)),
      ].slice(0, 20),
      audited_at: audit === undefined ? null : new Date(audit.started_at).toISOString(),
      audit_score: scoreOf(lastDetails(state, instance.name, 'audit', 1)[0]),
    };
    // What a repository holds is read with zod, which nothing else needs to wait for.
    const { writeStatus } = await import('../../backup/fleet/write-status.ts');
    await writeStatus(repository.store, status, signal);
    return { value: status, summary: 'status published', findings: [], evaluated: [] };
  },
};

async function readServer(context: JobContext): Promise<StatusObject['server']> {
  try {
    const connection = await context.connect();
    try {
      const info = await readInfo(connection);
      return { ...engineOf(info), role: info.get('role') === 'slave' ? 'replica' : 'master' };
    } finally {
      connection.close();
    }
  } catch (error) {
    context.log.debug({ cause: messageOf(error) }, 'the server does not answer: the status says so');
    return null;
  }
}

function scoreOf(detail: unknown): number | null {
  if (typeof detail !== 'object' || detail === null || !('score' in detail)) return null;
  return typeof detail.score === 'number' ? detail.score : null;
}
