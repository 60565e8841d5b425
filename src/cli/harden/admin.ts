import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { App } from '../../app/build-app.ts';
import { readSecret } from '../../config/secrets.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Admin } from '../../jobs/harden/inspect-server.ts';
import { recoverChangeJob } from '../../jobs/harden/recover-change.ts';
import type { CommandContext } from '../define-command.ts';

/** On argv everybody could read it. */
export const passwordVariable = 'REDIS_AGENT_ADMIN_PASSWORD';

export interface AdminArgs {
  username: string | undefined;
  passwordFile: string | undefined;
}

export function adminOptions(yargs: Argv): Argv {
  return yargs
    .option('username', {
      type: 'string',
      requiresArg: true,
      describe: 'Who may change the server, when it is not default',
    })
    .option('password-file', {
      type: 'string',
      requiresArg: true,
      describe: `File with that user’s password (or set $${passwordVariable})`,
    });
}

/** Undefined: nobody is named. */
export function adminFrom(
  { username, passwordFile }: AdminArgs,
  env: NodeJS.ProcessEnv,
): { username: string | undefined; password: Secret } | undefined {
  if (passwordFile !== undefined)
    return {
      username,
      password: readSecret({ file: resolve(passwordFile) }, { env, what: '--password-file' }),
    };
  if (env[passwordVariable] !== undefined)
    return {
      username,
      password: readSecret({ env: passwordVariable }, { env, what: 'the admin’s password' }),
    };
  if (username === undefined) return undefined;
  throw new AgentError('usage', '--username is given without a password', {
    hint: `give it with --password-file FILE or in $${passwordVariable}`,
  });
}

/** As given, else as configured: where only this command and its unit can read it. */
export function adminOf(app: App, args: AdminArgs, env: NodeJS.ProcessEnv): Admin | undefined {
  const given = adminFrom(args, env);
  const { admin } = app.settings.harden;
  if (given !== undefined || admin === undefined) return given;
  return { username: admin.username, password: app.secret(admin.password, 'harden.admin.password') };
}

/** Files that are named on the command line, to be read with the rights of who runs this. */
export function namedFiles(args: {
  passwordFile?: string | undefined;
  policy?: string | undefined;
  plan?: string | undefined;
}): string[] {
  const policy = args.policy !== undefined && /[./]/.test(args.policy) ? args.policy : undefined;
  return [args.passwordFile, args.plan, policy].filter((path) => path !== undefined);
}

/** See recoverChangeJob. */
export async function recoverChange(context: CommandContext, args: AdminArgs): Promise<string | null> {
  const app = await context.app();
  const instance = app.instance(context.globals.instance);
  return await app.run(recoverChangeJob, instance, { admin: adminOf(app, args, context.env) }, context);
}
