import { statSync } from 'node:fs';
import { Socket } from 'node:net';
import { configPath, loadSettings, type LoadedSettings } from '../../config/load.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { describeOwner } from '../../lib/files/file-owner.ts';
import { answerVerbs, type Verbs } from '../../lib/verbs/answer.ts';
import { switchLimits } from '../switch/protocol.ts';
import { acceptedDescriptor } from './places.ts';
import { say } from './say.ts';

/** The configuration, for a unit that is root; undefined where there is none to believe, which is said. */
export async function loadForRoot(env: NodeJS.ProcessEnv): Promise<LoadedSettings | undefined> {
  // It ends by itself, and soon: a unit that is down half way is for who has asked.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  try {
    requireRootsOwn(configPath(undefined, env));
    return await loadSettings(undefined, { env });
  } catch (error) {
    say(messageOf(error));
    return undefined;
  }
}

/** Does what is asked for over the connection that this unit was started for; resolves when that ends. */
export async function answerConnection(verbs: Verbs): Promise<void> {
  const channel = new Socket({ fd: acceptedDescriptor });
  channel.on('error', () => {});
  await answerVerbs({ input: channel, output: channel }, switchLimits, verbs).catch(() => {});
}

/** Whoever writes it says which units are stopped. */
function requireRootsOwn(path: string): void {
  const stats = statSync(path);
  if (stats.uid === 0 && (stats.mode & 0o022) === 0) return;
  throw new AgentError('refused', `${path} is not root's alone (${describeOwner(stats)})`, {
    hint: `chown root:redis-agent ${path} && chmod 0640 ${path}`,
  });
}
