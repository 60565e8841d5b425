import { AgentError } from '../../../domain/errors.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import type { Change } from '../../../harden/changes.ts';
import { bootConf, isReplaced } from '../../../redis/boot-conf.ts';
import { resolveConf, type ResolvedConf } from '../../../redis/resolve-conf.ts';
import { distrustProgram } from '../../../lib/distrust-path.ts';
import { readForeignFile } from '../../../lib/foreign-file.ts';
import { freeLoopbackPort } from '../../../lib/free-port.ts';
import type { JobContext } from '../../job.ts';
import type { PlannedFile } from '../plan.ts';
import type { HardenScene } from '../scene.ts';

/** The configuration as the files would leave it. */
function candidateConf(
  { file, user, service }: Pick<HardenScene, 'file' | 'user' | 'service'>,
  planned: readonly PlannedFile[],
): ResolvedConf {
  return resolveConf(file, {
    as: user,
    options: service?.arguments?.directives,
    sources: new Map(planned.map(({ path, bytesAfter }) => [path, bytesAfter])),
  });
}

/**
 * Has the server’s own program start with the files as they would be, in a folder of its own; compares what it makes of
 * them with what is meant. Throws where it does not start, or means something else.
 */
export async function validate(
  context: JobContext,
  scene: HardenScene,
  planned: readonly PlannedFile[],
  changes: readonly Change[],
): Promise<void> {
  const { engine, program, user } = scene;
  if (program === undefined)
    throw new AgentError(
      'refused',
      'the server’s own program was not found, so that nothing can be tried first',
      {
        reason: 'program',
        hint: 'name it: tools: { redis_server: /usr/bin/redis-server } of the instance',
      },
    );
  const distrust = distrustProgram(program);
  if (distrust !== undefined)
    throw new AgentError('refused', `${program} is not run: ${distrust}`, { reason: 'program' });
  const { entries } = candidateConf(scene, planned);
  const tls = changes.some(({ directive }) => directive.startsWith('tls-'));
  const found = await bootConf({
    program: { path: program, argv0: `${engine.engine}-server` },
    entries,
    aclfile: aclText(scene, entries.findLast(({ name }) => name === 'aclfile')?.values[0]),
    tlsPort: tls ? await freeLoopbackPort() : undefined,
    directory: context.scratch,
    user,
    clock: context.clock,
    signal: context.signal,
  });
  for (const { directive, to } of changes) {
    if (isReplaced(directive)) continue;
    const facts = nameFor(directive, engine)?.facts;
    const value = found.get(directive);
    if (facts === undefined || value === undefined || normalValue(facts, directive, value) === to) continue;
    throw new AgentError(
      'refused',
      `the changed files would make ${directive} ${value}, and not ${to}: something in them wins over it`,
      { reason: 'boot', hint: 'nothing was changed; see redis-agent audit, CFG09' },
    );
  }
}

function aclText({ user }: HardenScene, path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  const { bytes } = readForeignFile(path, { as: user, limit: 8 * 1024 * 1024 });
  return Buffer.from(bytes).toString('latin1');
}
