import { AgentError } from '../domain/errors.ts';
import type { InstanceSettings } from '../domain/settings.ts';
import { clusterSlots, formatSlots, slotsTwice, slotsWithout } from '../formats/cluster/slots.ts';
import type { BackupJob } from '../jobs/backup/backup-options.ts';
import { followUp, type BackupCycleOptions, type BackupCycleReport } from '../jobs/backup/backup-cycle.ts';
import type { RunJob } from '../jobs/job.ts';
import { readClusterMasters, type ClusterMaster } from '../redis/cluster.ts';
import { readInfo } from '../redis/server.ts';
import type { App, RunOptions } from './build-app.ts';
import { nodeInstance } from './cluster-nodes.ts';

/** What became of one node. */
export interface NodeReport {
  /** Whose prefix in the repository it is; what --instance takes. */
  instance: string;
  url: string;
  node: string;
  slots: string;
  report: BackupCycleReport | null;
  /** Why there is no backup of it, or what came after it has failed. */
  error: { code: string; reason?: string; message: string; hint?: string } | null;
}

export interface ClusterBackupReport {
  nodes: NodeReport[];
  /** What keeps these backups from being all of the cluster. */
  problems: string[];
}

interface Node {
  master: ClusterMaster;
  instance: InstanceSettings;
  report?: BackupCycleReport;
  error?: AgentError;
}

/**
 * Takes a backup of every master of the instance's cluster, one after the other, and proves them then: the closer together they
 * are taken, the less differs. A node that fails keeps none of the others from it.
 */
export async function backupCluster(
  app: App,
  instance: InstanceSettings,
  job: BackupJob,
  options: BackupCycleOptions,
  run: RunOptions,
): Promise<ClusterBackupReport> {
  const before = await readMasters(app, instance, run.signal);
  const nodes: Node[] = before.map((master) => ({
    master,
    instance: nodeInstance(app.settings, instance, master),
  }));
  const each = async (what: string, work: (node: Node, perform: RunJob) => Promise<void>): Promise<void> => {
    for (const [index, node] of nodes.entries()) {
      const words = `${what}node ${index + 1} of ${nodes.length}: `;
      const progress: RunOptions['progress'] = {
        report: (state) => run.progress.report({ ...state, phase: words + state.phase }),
      };
      const perform: RunJob = (task, how) => app.run(task, node.instance, how, { ...run, progress });
      try {
        await work(node, perform);
      } catch (error) {
        run.signal.throwIfAborted();
        if (!(error instanceof AgentError)) throw error;
        node.error = error;
      }
    }
  };
  await each('', async (node, perform) => {
    if (node.master.failed)
      throw new AgentError('redis', `${node.master.url} is down, as its cluster sees it`, {
        reason: 'failed-node',
        hint: 'start it, or promote a replica of it (CLUSTER FAILOVER), and run this again',
      });
    node.report = { backup: await perform(job, options) };
  });
  const problems = judgeWhole(nodes, before, await readMasters(app, instance, run.signal));
  await each('', async (node, perform) => {
    if (node.report !== undefined) node.report = await followUp(perform, app.settings, options, node.report);
  });
  return { nodes: nodes.map(describe), problems };
}

async function readMasters(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<ClusterMaster[]> {
  const connection = await app.connect(instance, signal);
  try {
    return await readClusterMasters(connection, await readInfo(connection));
  } finally {
    connection.close();
  }
}

/** Are the backups of all keys, and of each once? */
function judgeWhole(nodes: Node[], before: ClusterMaster[], after: ClusterMaster[]): string[] {
  const problems: string[] = [];
  const unserved = slotsWithout(
    [[0, clusterSlots - 1]],
    before.flatMap(({ slots }) => slots),
  );
  if (unserved.length > 0) problems.push(`no node serves the slots ${formatSlots(unserved)}`);
  const moved = before.flatMap((master) => {
    const now = after.find(({ id }) => id === master.id)?.slots ?? [];
    return [...slotsWithout(master.slots, now), ...slotsWithout(now, master.slots)];
  });
  const places = nodes.flatMap(({ report }) => report?.backup.cluster ?? []);
  const moving = places.flatMap((place) => place.moving.map((slot): [number, number] => [slot, slot]));
  const twice = slotsTwice(places.map(({ slots }) => slots));
  const unsure = [...moved, ...moving, ...twice];
  if (unsure.length > 0)
    problems.push(
      `slots were moved meanwhile, and keys of theirs may be in two of these backups or in none: ${formatSlots(unsure)}; run this again when that has ended`,
    );
  const unknown = nodes.filter(({ report }) => report !== undefined && !report.backup.cluster);
  for (const { instance } of unknown)
    problems.push(
      `${instance.name}: its slots could not be seen, and are not in its backup: grant +cluster|nodes`,
    );
  return problems;
}

function describe({ master, instance, report, error }: Node): NodeReport {
  const slots = report?.backup.cluster?.slots ?? master.slots;
  return {
    instance: instance.name,
    url: master.url,
    node: master.id,
    slots: formatSlots(slots),
    report: report ?? null,
    error:
      error === undefined
        ? null
        : {
            code: error.code,
            ...(error.reason !== undefined && { reason: error.reason }),
            message: error.message,
            ...(error.hint !== undefined && { hint: error.hint }),
          },
  };
}
