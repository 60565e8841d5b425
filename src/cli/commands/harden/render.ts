import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { namesOf } from '../../../formats/conf/aliases.ts';
import { checkConf } from '../../../formats/conf/check-conf.ts';
import { directiveNames, knownElsewhere } from '../../../formats/conf/directive-table.ts';
import { parseConfDocument } from '../../../formats/conf/document.ts';
import { atLeastVersion, parseEngine, showEngine, type EngineVersion } from '../../../formats/conf/engine.ts';
import { parseConfSize } from '../../../formats/conf/judge-value.ts';
import { nameFor } from '../../../formats/conf/values.ts';
import type { Policy } from '../../../harden/policy.ts';
import { readPolicy } from '../../../harden/policy/read-policy.ts';
import { renderCompose, renderConf, renderDropIn, renderSysctl } from '../../../harden/render/render-conf.ts';
import {
  renderSentinel,
  renderUsers,
  usersFor,
  type RenderedUser,
} from '../../../harden/render/render-users.ts';
import { closest } from '../../../lib/text/closest.ts';
import { cannotWrite, writeOut } from '../../write-out.ts';
import { defineCommand } from '../../define-command.ts';
import { wrap } from '../../render/wrap.ts';
import { makeFolders } from '../../../lib/files/make-folders.ts';

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
  /** Who has a password of his own. */
  users: RenderedUser[];
  /** Names and texts; those of passwords are written and not shown. */
  files: { name: string; text: string }[];
  /** Directives of the policy that this server does not have. */
  left_out: string[];
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
      .option('with', {
        requiresArg: true,
        choices: ['sentinel', 'cluster'] as const,
        describe: 'What it is run beside',
      })
      .option('memory', {
        type: 'string',
        requiresArg: true,
        describe: 'Memory of its host or container, 4gb; this host’s when left out',
      })
      .option('port', { type: 'number', requiresArg: true, default: 6379, describe: 'Where it listens' })
      .option('out', { type: 'string', requiresArg: true, describe: 'Write the files into this folder' }),
  examples: [
    ['$0 harden render --policy queue --engine redis-7.0 --out new', 'to copy to a new host'],
    ['$0 harden render --policy cache --memory 2gb', 'only look'],
  ],
  async run(_, args) {
    const engine = engineOf(args.engine);
    const memory = memoryOf(args.memory);
    const policy = await readPolicy(args.policy);
    const left = leftOut(policy, engine);
    const places = placesOf(engine);
    const users = usersFor(args.with);
    const passwords = new Map(users.map((user) => [user, randomBytes(32).toString('hex')]));
    const masterauth = args.out === undefined ? unshown : passwords.get('replica');
    const common = {
      policy,
      engine,
      memory,
      with: args.with,
      port: portOf(args.port),
      masterauth: users.includes('replica') ? masterauth : undefined,
    };
    const conf = renderConf({ ...common, places, container: false });
    requireSound(conf, policy, engine, memory);
    const unit = `${engine.engine === 'valkey' ? 'valkey-server' : 'redis-server'}.service`;
    const hashes = [...passwords].map(([user, password]) => ({ user, hash: sha256(password) }));
    const usersFile = renderUsers(hashes, engine);
    const sentinelPassword = args.out === undefined ? unshown : passwords.get('sentinel');
    const files = [
      { name: 'redis.conf', text: conf },
      { name: 'users.acl', text: usersFile },
      ...(sentinelPassword !== undefined && args.with === 'sentinel'
        ? [{ name: 'sentinel.conf', text: renderSentinel(sentinelPassword, args.port) }]
        : []),
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
      { name: 'compose/conf/users.acl', text: usersFile },
      { name: 'compose/compose.yaml', text: renderCompose(engine, memory, `${owner.uid}:${owner.gid}`) },
    ];
    const rendered: Rendered = {
      engine: showEngine(engine),
      policy: policy.name,
      users,
      files,
      left_out: left,
      out: null,
    };
    if (args.out === undefined) return rendered;
    const out = resolve(args.out);
    const secrets = [...passwords].map(([user, text]) => ({ name: `${user}-password`, text: `${text}\n` }));
    await writeAll(out, [...files, ...secrets]);
    return {
      ...rendered,
      out,
      files: files.map(({ name, text }) => ({ name, text: hidden(text, secrets) })),
    };
  },
  render({ engine, files, out, users, left_out: left }, { style, width }) {
    if (out !== null)
      return [
        `written to ${out}: ${files.map(({ name }) => name).join(', ')}`,
        ...users.map((user) => `the password of ${user} is in ${out}/${user}-password (0600)`),
        'users.acl has only hashes of them',
        ...(left.length === 0 ? [] : [`left out, which ${engine} does not have: ${left.join(', ')}`]),
      ]
        .map((line) => wrap(line, width))
        .join('\n');
    return files
      .filter(({ name }) => name !== 'users.acl' && name !== 'compose/conf/users.acl')
      .map(({ name, text }) => `${style.strong(`--- ${name}`)}\n${text.trimEnd()}`)
      .join('\n\n');
  },
});

function engineOf(text: string): EngineVersion {
  const engine = parseEngine(text);
  if (engine !== undefined) {
    requireUsers(engine);
    return engine;
  }
  throw new AgentError('usage', `--engine: ${JSON.stringify(text)} is no server`, {
    hint: 'write redis-7.0, redis-8.0, valkey-8.1 …',
  });
}

/** Users and their rights came with Redis 6. */
function requireUsers(engine: EngineVersion): void {
  if (engine.engine === 'valkey' || atLeastVersion(engine.version, '6.0')) return;
  throw new AgentError('usage', `--engine: ${showEngine(engine)} has no users with rights of their own`, {
    hint: 'take Redis 6.0 or later, better one that still gets security fixes',
  });
}

function portOf(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new AgentError('usage', `--port: ${port} is no port`, { hint: 'write a number from 1 to 65535' });
}

/** Throws where a name is that of no server at all. */
function leftOut({ wishes, name: policy }: Policy, engine: EngineVersion): string[] {
  const names = wishes.map(({ name }) => name).filter((name) => nameFor(name, engine) === undefined);
  const strange = names.find((name) =>
    [name, ...namesOf(name)].every((each) => knownElsewhere(each).length === 0),
  );
  if (strange === undefined) return names;
  const near = closest(strange, directiveNames(engine));
  throw new AgentError('usage', `the policy ${policy}: no server has a directive ${strange}`, {
    reason: 'policy',
    hint: near === undefined ? 'leave it out' : `did you mean ${near}?`,
  });
}

/** A value that the server would not start with is told here, and not by it. */
function requireSound(conf: string, policy: Policy, engine: EngineVersion, memory: number): void {
  const faults = checkConf(parseConfDocument(conf), { engine, hash: sha256, memory });
  const fault = faults.find(({ weight }) => weight === 'fatal');
  if (fault === undefined) return;
  const from = policy.wishes.find(({ name }) => nameFor(name, engine)?.name === fault.name)?.from;
  throw new AgentError('usage', `the policy ${from ?? policy.name}: ${fault.name ?? ''}: ${fault.message}`, {
    reason: 'policy',
    hint: `${showEngine(engine)} would not start with it`,
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

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What stands for a password that is not written anywhere. */
const unshown = 'PASSWORD';

function hidden(text: string, secrets: readonly { text: string }[]): string {
  return secrets.reduce((shown, { text: secret }) => shown.replaceAll(secret.trim(), unshown), text);
}

/** As whom the container runs, and whose its files are: us, and where that is root the user redis of the images. */
const owner =
  process.getuid?.() === 0
    ? { uid: 999, gid: 999 }
    : { uid: process.getuid?.() ?? 999, gid: process.getgid?.() ?? 999 };

async function writeAll(out: string, files: readonly { name: string; text: string }[]): Promise<void> {
  const there = files.map(({ name }) => join(out, name)).find((path) => existsSync(path));
  if (there !== undefined)
    throw new AgentError('refused', `${there} is there already`, {
      reason: 'exists',
      hint: 'name a folder that is empty or new',
    });
  const inContainer = [join(out, 'compose/conf'), join(out, 'compose/data')];
  try {
    for (const folder of inContainer) makeFolders(folder, 0o700);
  } catch (error) {
    throw cannotWrite(out, error);
  }
  for (const { name, text } of files) {
    await writeOut(join(out, name), text, /password|users/.test(name) ? 0o600 : 0o640);
    if (name.startsWith('compose/conf/')) inContainer.push(join(out, name));
  }
  if (process.getuid?.() === 0) for (const path of inContainer) chownSync(path, owner.uid, owner.gid);
}
