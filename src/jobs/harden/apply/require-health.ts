import { messageOf } from '../../../domain/errors.ts';
import { judgeHealth, unhealthy, type Before } from '../../../harden/apply/health.ts';
import type { HardenPlan } from '../../../harden/changes.ts';
import { fileValue } from '../../../harden/plan/current.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import { resolveConf } from '../../../redis/conf/resolve-conf.ts';
import { readInfo } from '../../../redis/server.ts';
import type { AclSettings, PlannedUsers } from '../acl.ts';
import { readCertificate, readRunning, type InspectedServer } from '../inspect-server.ts';
import type { MadePassword } from './passwords.ts';
import { lookBefore, type HardenRun } from './run.ts';
import { requireUsers } from './users.ts';

interface Expected {
  before: Before;
  restarted: boolean;
  acl: AclSettings | undefined;
  made: readonly MadePassword[];
}

/** Everybody still gets in, nothing is lost, and policy, run time and files say the same. */
export async function requireHealth(
  run: HardenRun,
  inspected: InspectedServer,
  { plan, users }: { plan: HardenPlan; users: PlannedUsers },
  { before, restarted, acl, made }: Expected,
): Promise<void> {
  const { context } = run;
  for (const open of [run.connect, () => context.connect()]) {
    const connection = await open().catch((error: unknown) => {
      throw unhealthy(`a new connection fails: ${messageOf(error)}`);
    });
    connection.close();
  }
  const connection = await run.connect();
  try {
    const info = await readInfo(connection);
    const now = { ...(await lookBefore(connection, users.work)), info };
    const mayEvict = !/noeviction/.test(inspected.config.get('maxmemory-policy') ?? '');
    const why = judgeHealth(before, now, { restarted, mayEvict });
    if (why !== undefined) throw unhealthy(why);
    await requireValues(run, { connection, inspected, plan, restarted });
    if (plan.changes.some(({ directive }) => directive === 'tls-cert-file')) {
      const running = await readRunning(connection);
      const { reader } = await run.files.look([running.get('tls-cert-file') ?? '']);
      const certificate = await readCertificate(context, running, reader);
      if (certificate?.file !== undefined && certificate.served !== certificate.file)
        throw unhealthy('it still serves another certificate than its file holds');
    }
    await requireUsers(run, connection, inspected, users, { acl, made });
  } finally {
    connection.close();
  }
}

interface ValuesExpected {
  connection: InspectedServer['connection'];
  inspected: InspectedServer;
  plan: HardenPlan;
  restarted: boolean;
}

async function requireValues(
  { files }: HardenRun,
  { connection, inspected: { engine, file, service }, plan: { changes }, restarted }: ValuesExpected,
): Promise<void> {
  const running = await readRunning(connection);
  const { reader } = await files.look();
  const { entries } = resolveConf(file, { reader, options: service?.arguments?.directives });
  for (const { directive, to, class: kind } of changes) {
    const facts = nameFor(directive, engine)?.facts;
    if (facts === undefined) continue;
    const now = normalValue(facts, directive, running.get(directive) ?? '');
    if (now !== to && (kind !== 'restart' || restarted))
      throw unhealthy(`${directive} is ${now}, and not ${to}`);
    if (fileValue(directive, facts, entries, engine).value !== to)
      throw unhealthy(`its files say something else of ${directive} than ${to}`);
  }
}
