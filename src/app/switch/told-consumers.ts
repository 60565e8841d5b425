import type { Settings } from '../../domain/settings.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Consumers, HookInput } from '../../harden/rotate/consumers.ts';
import { chooseInstance } from '../choose-instance.ts';
import { localConsumers } from '../../jobs/harden/rotate/local-consumers.ts';

/** Whom a person has named who runs this as root: nobody else is told anything as root. */
export interface Named {
  /** Whose password it is. */
  user: string;
  secretFiles: readonly string[];
  hooks: readonly string[];
}

/** What root does for a mind that hands a new password on. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- verbs, as they are
export function consumerVerbs(named: Named, settings: Settings, signal: AbortSignal) {
  const own = settings.instances.flatMap(({ password }) =>
    password !== undefined && 'file' in password ? [password.file] : [],
  );
  const files = new Set([...named.secretFiles, ...own]);
  const hooks = new Set(named.hooks);
  return {
    async whyNotFile(path: string): Promise<string | null> {
      requireNamed(files, path);
      return (await localConsumers.whyNotFile(path)) ?? null;
    },
    async writeFile(path: string, password: string): Promise<void> {
      requireNamed(files, path);
      requireMade(password);
      await localConsumers.writeFile(path, password);
    },
    async whyNotHook(program: string): Promise<string | null> {
      requireNamed(hooks, program);
      return (await localConsumers.whyNotHook(program)) ?? null;
    },
    async runHook(program: string, { instance, password }: HookInput): Promise<void> {
      requireNamed(hooks, program);
      requireMade(password);
      const { name } = chooseInstance(settings, instance);
      await localConsumers.runHook(program, { instance: name, user: named.user, password }, signal);
    },
  };
}

function requireNamed(known: ReadonlySet<string>, path: string): void {
  if (known.has(path)) return;
  throw new AgentError('refused', `root was not told of ${path}`, {
    reason: 'not-named',
    hint: 'name every --secret-file and --hook again, as when it was begun',
  });
}

/** A rotation makes 64 hexadecimal digits, and hands on nothing else: a program of root's reads it. */
function requireMade(password: string): void {
  if (typeof password === 'string' && /^[0-9a-f]{64}$/.test(password)) return;
  throw new AgentError('refused', 'that is no password that was made here', { reason: 'not-made' });
}

/** The same, asked of root. */
export function askedConsumers(ask: (verb: string, args: readonly unknown[]) => Promise<unknown>): Consumers {
  const why = async (verb: string, path: string): Promise<string | undefined> => {
    const answer = await ask(verb, [path]);
    return typeof answer === 'string' ? answer : undefined;
  };
  return {
    whyNotFile: async (path) => await why('whyNotFile', path),
    writeFile: async (path, password) => void (await ask('writeFile', [path, password])),
    whyNotHook: async (program) => await why('whyNotHook', program),
    runHook: async (program, input) => void (await ask('runHook', [program, input])),
  };
}
