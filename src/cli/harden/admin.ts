import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { App } from '../../app/build-app.ts';
import { readSecret } from '../../config/secrets.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Admin } from '../../jobs/harden/scene.ts';

/** On argv everybody could read it. */
const passwordVariable = 'REDIS_AGENT_ADMIN_PASSWORD';

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
function adminFrom(
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

/** A file that is named on the command line: nobody else reads or writes it for who runs this. */
export function fileOf(args: {
  passwordFile?: string | undefined;
  policy?: string | undefined;
  plan?: string | undefined;
  out?: string | undefined;
}): string | undefined {
  const policy = args.policy !== undefined && /[./]/.test(args.policy) ? args.policy : undefined;
  return args.passwordFile ?? args.plan ?? args.out ?? policy;
}
