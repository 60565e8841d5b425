import { canonicalName } from '../../formats/conf/aliases.ts';
import type { DirectiveFacts } from '../../formats/conf/directive-table.ts';
import { atLeastVersion, type EngineVersion } from '../../formats/conf/engine.ts';
import {
  mergeLimits,
  normalValue,
  outputLimits,
  savePoints,
  savePointsOfNone,
} from '../../formats/conf/values.ts';
import type { ConfEntry } from '../../redis/conf/resolve-conf.ts';

/** What the files make of a directive, and the lines that do. */
export interface InFiles {
  /** Undefined: no line says it, and nobody knows the default. */
  value: string | undefined;
  entries: ConfEntry[];
}

/** The value that the next start goes by. */
export function fileValue(
  name: string,
  facts: DirectiveFacts,
  entries: readonly ConfEntry[],
  engine: EngineVersion,
): InFiles {
  const own = entries.filter((entry) => canonicalName(entry.name) === canonicalName(name));
  const last = own.at(-1);
  if (last === undefined) return { value: defaultOf(name, facts, engine), entries: [] };
  if (name === 'save')
    return {
      value: savePoints(
        own.map(({ values }) => values),
        engine,
      ),
      entries: own,
    };
  if (name === outputLimits)
    return {
      value: own.reduce(
        (limits, { values }) => mergeLimits(limits, values.join(' ')),
        defaultOf(name, facts, engine) ?? '',
      ),
      entries: own,
    };
  return { value: normalValue(facts, name, last.values.join(' ')), entries: own };
}

function defaultOf(name: string, facts: DirectiveFacts, engine: EngineVersion): string | undefined {
  const recent = engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2');
  if (name === 'save') return savePointsOfNone(engine);
  if (name === 'appendonly') return 'no';
  if (name === 'bind') return recent ? '* -::*' : '';
  if (name === 'protected-mode' && engine.docker) return 'no';
  return facts.default === undefined ? undefined : normalValue(facts, name, facts.default);
}
