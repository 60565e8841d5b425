import { messageOf } from '../../../domain/errors.ts';
import { judgeHealth, unhealthy, type Before } from '../../../harden/apply/health.ts';
import type { HardenPlan } from '../../../harden/changes.ts';
import { fileValue } from '../../../harden/plan/current.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import { resolveConf } from '../../../redis/resolve-conf.ts';
import { readInfo } from '../../../redis/server.ts';
import type { AclSettings, PlannedUsers } from '../acl.ts';
import { readCertificate, readRunning, type HardenScene } from '../scene.ts';
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
  scene: HardenScene,
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
    const mayEvict = !/noeviction/.test(scene.config.get('maxmemory-policy') ?? '');
    const why = judgeHealth(before, now, { restarted, mayEvict });
    if (why !== undefined) throw unhealthy(why);
    await requireValues(run, { connection, scene, plan, restarted });
    if (plan.changes.some(({ directive }) => directive === 'tls-cert-file')) {
      const running = await readRunning(connection);
      const { reader } = await run.files.look([running.get('tls-cert-file') ?? '']);
      const certificate = await readCertificate(context, running, reader);
      if (certificate?.file !== undefined && certificate.served !== certificate.file)
        throw unhealthy('it still serves another certificate than its file holds');
    }
    await requireUsers(run, connection, scene, users, { acl, made });
  } finally {
    connection.close();
  }
}

interface ValuesExpected {
  connection: HardenScene['connection'];
  scene: HardenScene;
  plan: HardenPlan;
  restarted: boolean;
}

async function requireValues(
  { files }: HardenRun,
  { connection, scene: { engine, file, service }, plan: { changes }, restarted }: ValuesExpected,
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
