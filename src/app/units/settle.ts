import { messageOf } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import { hasBegun, settleRestoreJob } from '../../jobs/restore/settle-restore.ts';
import { systemClock } from '../../lib/system-clock.ts';
import { buildApp } from '../build-app.ts';
import { createLogger } from '../logger.ts';
import { ownProgram } from '../own-program.ts';
import type { SwitchLink } from '../switch/link.ts';
import { say } from './say.ts';
import { unitLink } from './unit-link.ts';

/**
 * When a process that restores has ended without having told how: ends what it has left of any instance, so that no server stays
 * down. Resolves with the exit status.
 */
export async function settleRestores(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  link: SwitchLink = unitLink(env),
): Promise<number> {
  const secrets: Secret[] = [];
  const log = await createLogger({ level: 'silent', fd: 2, pretty: false, secrets: () => secrets });
  const app = await buildApp({
    configPath: undefined,
    env,
    clock: systemClock,
    log,
    secrets,
    program: ownProgram(),
    link,
    loaded: await link.settings(),
  });
  let status = 0;
  try {
    for (const instance of app.instances(undefined)) {
      if (!hasBegun({ settings: app.settings, instance })) continue;
      try {
        const ended = await app.run(settleRestoreJob, instance, {}, { signal, progress: silent });
        if (ended !== null) say(`${instance.name}: ${ended}`);
      } catch (error) {
        status = 1;
        say(`${instance.name}: ${messageOf(error)}`);
      }
    }
  } finally {
    await app.close();
  }
  return status;
}

const silent = { report(): void {} };
