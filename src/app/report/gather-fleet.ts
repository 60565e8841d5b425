import type { FleetEntry } from '../../backup/fleet/read-fleet.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import type { ReportDocument } from '../../report/document.ts';
import { buildFleetReport, judgeHost, type FleetFacts, type FleetLimits } from '../../report/model/fleet.ts';
import type { App } from '../build-app.ts';
import { agentVersion } from '../version.ts';

export interface FleetHost extends FleetFacts {
  /** Empty: nothing is wrong. */
  problems: { tone: string; text: string }[];
}

/** Every instance of the repository, of whatever host, and what is wrong with each. */
export async function gatherFleet(
  app: App,
  signal: AbortSignal,
): Promise<{ hosts: FleetHost[]; repository: string }> {
  // Validates with zod, which nothing else needs to wait for.
  const { readFleet } = await import('../../backup/fleet/read-fleet.ts');
  const store = await app.store();
  const now = app.clock.now();
  const limits = limitsOf(app);
  const entries = await readFleet(store, now, signal);
  const hosts = entries.map(factsOf).map((host) => ({ ...host, problems: judgeHost(host, limits, now) }));
  return { hosts, repository: store.description };
}

/** The page of all of them. */
export async function fleetReport(
  app: App,
  signal: AbortSignal,
): Promise<{ document: ReportDocument; timezone: string }> {
  const { hosts, repository } = await gatherFleet(app, signal);
  const timezone = app.settings.timezone ?? localTimezone();
  const document = buildFleetReport(hosts, limitsOf(app), {
    now: app.clock.now(),
    timezone,
    repository,
    agentVersion,
  });
  return { document, timezone };
}

/** What counts as stale is what this host's own configuration says of its backups. */
function limitsOf({ settings }: App): FleetLimits {
  return { staleAfter: settings.backup.stale_after, overdueAfter: settings.drill.overdue_after };
}

function factsOf({ instance, backups, newest, proven, drilled, status, problem }: FleetEntry): FleetFacts {
  const server = status?.server ?? null;
  const audited = status?.audited_at ?? null;
  return {
    instance,
    host: status?.host ?? null,
    server: server === null ? null : `${server.engine} ${server.version}`,
    backups,
    newestAt: newest?.at ?? null,
    provenAt: proven?.at ?? null,
    drilled: drilled === null ? null : { at: drilled.at, ok: drilled.ok },
    heardAt: status === null ? null : Date.parse(status.at),
    serious: status === null ? null : status.findings.high + status.findings.critical,
    auditScore: status?.audit_score ?? null,
    auditedAt: audited === null ? null : Date.parse(audited),
    problem,
  };
}
