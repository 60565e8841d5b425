import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { parseEngine, showEngine, type EngineVersion } from '../../../formats/conf/engine.ts';
import { parseConfSize } from '../../../formats/conf/judge-value.ts';
import { readPolicy } from '../../../harden/policy/read-policy.ts';
import {
  renderCompose,
  renderConf,
  renderDropIn,
  renderSysctl,
  renderUsers,
} from '../../../harden/render/render-conf.ts';
import { writeAtomic } from '../../../lib/write-atomic.ts';
import { defineCommand } from '../../define-command.ts';

interface Args {
  policy: string;
  engine: string;
  with: 'sentinel' | 'cluster' | undefined;
  memory: string | undefined;
  port: number;
  out: string | undefined;
}

interface Rendered {
  engine: string;
  policy: string;
  /** Names and texts; the password’s is written and not shown. */
  files: { name: string; text: string }[];
  out: string | null;
}

export const hardenRenderCommand = defineCommand<Args, Rendered>({
  usage: 'harden render',
  summary: 'A complete redis.conf, users, unit drop-in and kernel settings for a host that has none yet',
  options: (yargs) =>
    yargs
      .option('policy', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'cache, queue, session, durable, or a file',
      })
      .option('engine', {
        type: 'string',
        requiresArg: true,
        default: 'redis-8.0',
        describe: 'Which server will read it: redis-7.0, valkey-8.1',
      })
      .option('with', { choices: ['sentinel', 'cluster'] as const, describe: 'What it is run beside' })
      .option('memory', {
        type: 'string',
        requiresArg: true,
        describe: 'Memory of its host or container, 4gb; this host’s when left out',
      })
      .option('port', { type: 'number', default: 6379, describe: 'Where it listens' })
      .option('out', { type: 'string', requiresArg: true, describe: 'Write the files into this folder' }),
  examples: [
    ['$0 harden render --policy queue --engine redis-7.0 --out new', 'to copy to a new host'],
    ['$0 harden render --policy cache --memory 2gb', 'only look'],
  ],
  async run(_, args) {
    const engine = engineOf(args.engine);
    const memory = memoryOf(args.memory);
    const policy = await readPolicy(args.policy);
    const places = placesOf(engine);
    const common = { policy, engine, memory, with: args.with, port: args.port };
    const password = randomBytes(32).toString('hex');
    const hash = createHash('sha256').update(password).digest('hex');
    const unit = `${engine.engine === 'valkey' ? 'valkey-server' : 'redis-server'}.service`;
    const users = renderUsers(hash, engine);
    const files = [
      { name: 'redis.conf', text: renderConf({ ...common, places, container: false }) },
      { name: 'users.acl', text: users },
      { name: 'unit-drop-in.conf', text: renderDropIn({ unit, places, loadSeconds: undefined }) },
      { name: 'sysctl.conf', text: renderSysctl() },
      {
        name: 'compose/conf/redis.conf',
        text: renderConf({
          ...common,
          places: { data: '/data', conf: '/etc/redis', log: '' },
          port: 6379,
          container: true,
        }),
      },
      { name: 'compose/conf/users.acl', text: users },
      { name: 'compose/compose.yaml', text: renderCompose(engine, memory) },
    ];
    const rendered: Rendered = { engine: showEngine(engine), policy: policy.name, files, out: null };
    if (args.out === undefined) return rendered;
    const out = resolve(args.out);
    await writeAll(out, [...files, { name: 'admin-password', text: `${password}\n` }]);
    return { ...rendered, out };
  },
  render({ files, out }, { style }) {
    if (out !== null)
      return [
        `written to ${out}: ${files.map(({ name }) => name).join(', ')}`,
        `the user admin’s password is in ${out}/admin-password (0600); only its hash is in users.acl`,
      ].join('\n');
    return files
      .filter(({ name }) => name !== 'users.acl' && name !== 'compose/conf/users.acl')
      .map(({ name, text }) => `${style.strong(`--- ${name}`)}\n${text.trimEnd()}`)
      .join('\n\n');
  },
});

function engineOf(text: string): EngineVersion {
  const engine = parseEngine(text);
  if (engine !== undefined) return engine;
  throw new AgentError('usage', `--engine: ${JSON.stringify(text)} is no server`, {
    hint: 'write redis-7.0, redis-8.0, valkey-8.1 …',
  });
}

function memoryOf(text: string | undefined): number {
  const memory = text === undefined ? totalmem() : parseConfSize(text);
  if (memory !== undefined && memory >= 64 * 2 ** 20) return memory;
  throw new AgentError('usage', `--memory: ${JSON.stringify(text)} is no size of 64mb or more`, {
    hint: 'write 512mb or 4gb',
  });
}

/** As Debian’s packages have them. */
function placesOf({ engine }: EngineVersion): { data: string; conf: string; log: string } {
  return {
    data: `/var/lib/${engine}`,
    conf: `/etc/${engine}`,
    log: `/var/log/${engine}/${engine}-server.log`,
  };
}

async function writeAll(out: string, files: readonly { name: string; text: string }[]): Promise<void> {
  const there = files.map(({ name }) => join(out, name)).find((path) => existsSync(path));
  if (there !== undefined)
    throw new AgentError('refused', `${there} is there already`, {
      reason: 'exists',
      hint: 'name a folder that is empty or new',
    });
  mkdirSync(join(out, 'compose/conf'), { recursive: true, mode: 0o700 });
  for (const { name, text } of files)
    await writeAtomic(join(out, name), text, { mode: /password|users/.test(name) ? 0o600 : 0o640 });
}
