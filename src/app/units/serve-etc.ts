import type { Clock } from '../../domain/clock.ts';
import type { Verbs } from '../../lib/verbs/answer.ts';
import { mainFiles, rootFileVerbs } from '../conf/root-files.ts';
import { answerConnection, loadForRoot } from './root-unit.ts';
import { say } from './say.ts';

/**
 * Root's part of a change of a server whose configuration is root's own, for one connection. Resolves with the exit status.
 */
export async function serveEtc(env: NodeJS.ProcessEnv, clock: Clock): Promise<number> {
  const loaded = await loadForRoot(env);
  if (loaded === undefined) return 2;
  const verbs = rootFileVerbs(mainFiles(loaded, { clock, unitsOnly: true }));
  await answerConnection({
    ...verbs,
    async confReplace(...args: Parameters<typeof verbs.confReplace>) {
      say(`replaces ${args[1]}`);
      await verbs.confReplace(...args);
    },
  } satisfies Verbs);
  return 0;
}
