import { runCommand } from '../../../lib/process/run-command.ts';
import type { Finding } from '../../../domain/finding.ts';
import type { EvidenceLine } from '../../../domain/task.ts';
import { engineOf, readInfo } from '../../../redis/server.ts';
import { openFindings } from '../../../state/episodes.ts';
import type { EvidenceSource } from './source.ts';

const packages = { redis: ['redis-server', 'redis'], valkey: ['valkey-server', 'valkey'] } as const;

/** The running version, what the audit knows against it, and what the distribution would install. */
export async function versionReview({
  connect,
  state,
  instance,
  signal,
}: EvidenceSource): Promise<EvidenceLine[]> {
  const { engine, version } = engineOf(await readInfo(await connect()));
  const known = openFindings(state, instance.name).filter(({ rule }) => rule.startsWith('VER'));
  return [
    { text: `runs ${engine} ${version}`, ok: known.every(isFine) },
    ...known.map((finding) => ({ text: finding.summary, ok: isFine(finding) })),
    await candidate(packages[engine], signal),
  ];
}

/** Old, and mended by the distribution: nothing to do today. */
const isFine = ({ severity }: Finding): boolean => severity === 'info';

async function candidate(names: readonly string[], signal: AbortSignal): Promise<EvidenceLine> {
  for (const name of names) {
    const policy = await runCommand(['apt-cache', 'policy', name], signal).catch(() => undefined);
    const installed = /^ +Installed: (\S+)/m.exec(policy?.stdout ?? '')?.[1];
    const offered = /^ +Candidate: (\S+)/m.exec(policy?.stdout ?? '')?.[1];
    if (installed === undefined || installed === '(none)' || offered === undefined) continue;
    return installed === offered
      ? { text: `the package ${name} ${installed} is the newest that this host’s lists offer`, ok: true }
      : { text: `the package ${name} ${installed} can be upgraded to ${offered}`, ok: false };
  }
  return { text: 'no package of it is installed here: what is newest is not known', ok: null };
}
