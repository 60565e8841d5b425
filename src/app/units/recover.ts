import { messageOf } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { Secret } from '../../domain/secret.ts';
import { recoverChangeJob } from '../../jobs/harden/recover-change.ts';
import { hasBegun, recoverRestoreJob } from '../../jobs/restore/recover-restore.ts';
import { systemClock } from '../../lib/time/system-clock.ts';
import { buildApp, type App, type RunOptions } from '../build-app.ts';
import { createLogger } from '../logger.ts';
import { ownProgram } from '../own-program.ts';
import type { SwitchLink } from '../switch/link.ts';
import type { ServingUnit } from './places.ts';
import { say } from './say.ts';
import { unitLink } from './unit-link.ts';

type Recover = (app: App, instance: InstanceSettings, run: RunOptions) => Promise<string | null>;

/** When a process that restores has ended without having told how. */
const recoverRestore: Recover = async (app, instance, run) =>
  hasBegun({ settings: app.settings, instance }) ? await app.run(recoverRestoreJob, instance, {}, run) : null;

/** The same of one that changes servers. */
const recoverChange: Recover = async (app, instance, run) => {
  const { admin } = app.settings.harden;
  const login = admin && {
    username: admin.username,
    password: app.secret(admin.password, 'harden.admin.password'),
  };
  return await app.run(recoverChangeJob, instance, { admin: login }, run);
};

/** By the unit whose work that is. */
export const recoveries: Record<ServingUnit, Recover> = { restore: recoverRestore, apply: recoverChange };

/** Ends what was left of any instance, so that no server stays down. Resolves with the exit status. */
export async function recoverAll(
  recover: Recover,
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
      try {
        const ended = await recover(app, instance, { signal, progress: silent });
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
