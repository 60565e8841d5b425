import type { KeyPlan } from '../../backup/restore-keys/judge-key-plan.ts';
import { isDamaged, type FailedKeys } from '../../backup/restore-keys/tally.ts';
import type { RestoreKeysReport, RestoreKeysResult } from '../../jobs/keys/restore-keys-options.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

/** Words before a line of the plan, and how far the lines below it are moved in. */
const margin = 6;

/** What a restore of keys will do, in lines of `width`. */
export function renderKeyPlan(plan: KeyPlan, style: Style, width: number): string {
  const { source, target } = plan;
  const taken = source.taken_at === null ? '' : `, taken ${source.taken_at}`;
  const there = Object.values(target.databases).reduce((sum, count) => sum + count, 0);
  const room = target.maxmemory > 0 ? ` of ${formatBytes(target.maxmemory)}` : '';
  const nodes = target.cluster?.nodes.length ?? 0;
  const server =
    (nodes > 0 ? `, a cluster of ${countOf(nodes, 'master')}` : '') +
    `, ${target.engine} ${target.version}, ${countOf(there, 'key')}, ` +
    `${formatBytes(target.used_memory)} used${room}, AOF ${target.aof ? 'on' : 'off'}`;
  const line = (label: string, text: string): string => labelled(label, printable(text), width);
  return [
    line('from', source.name + taken).replace(printable(source.name), style.strong),
    line('into', target.name + server).replace(printable(target.name), style.strong),
    line('keys', choiceText(plan)),
    ...surveyTexts(plan).map((text, index) => line(index === 0 ? 'what' : '', text)),
    line('how', methodText(plan)),
    ...resumeTexts(plan).map((text) => line('', text)),
    ...plan.warnings.map((warning) => style.warning(line('note', warning))),
  ].join('\n');
}

const existingWords = {
  stop: 'stops at a key that is there already',
  replace: 'overwrites keys that are there already',
  skip: 'leaves keys that are there already',
};

function labelled(label: string, text: string, width: number): string {
  const lines = wrap(text, width - margin).split('\n');
  return lines.map((line, index) => (index === 0 ? label : '').padEnd(margin) + line).join('\n');
}

function choiceText({ keys: { patterns, type, database, to_database: toDatabase } }: KeyPlan): string {
  const only = type === null ? '' : `, of type ${type} only`;
  const where = database === null ? '' : `, of database ${database}`;
  const to = toDatabase === null ? '' : `, into database ${toDatabase}`;
  return patterns.join(' ') + only + where + to;
}

function surveyTexts({ survey, existing }: KeyPlan): string[] {
  if (survey === null) return ['not counted before'];
  const kinds = Object.entries(survey.types).map(([type, { keys }]) => `${keys} ${type}`);
  const databases = Object.entries(survey.databases).map(
    ([database, { keys }]) => `${keys} in database ${database}`,
  );
  const details = [kinds.join(', '), databases.length > 1 ? databases.join(', ') : ''].filter(Boolean);
  const besides = [
    survey.passed > 0 ? `${survey.passed} not asked for` : '',
    survey.expired > 0 ? `${survey.expired} had expired` : '',
    existing === 'skip' && survey.existing ? `${survey.existing} of them there already` : '',
    survey.by_commands > 0 ? `${survey.by_commands} built by plain commands` : '',
  ].filter(Boolean);
  return [
    `${countOf(survey.keys, 'key')}, ${formatBytes(survey.bytes)} in the dump` +
      (details.length === 0 ? '' : `: ${details.join('; ')}`),
    ...(besides.length === 0 ? [] : [`besides: ${besides.join(', ')}`]),
  ];
}

const ttlWords = {
  keep: '',
  shift: '; each has as long to live as it had when the dump was made',
  drop: '; none expires any more',
};

function methodText({ method, method_reason: reason, existing, ttl }: KeyPlan): string {
  const how =
    method === 'restore'
      ? 'by RESTORE'
      : `by plain commands, since RESTORE does not work there: ${reason ?? 'no reason given'}`;
  return `${how}; ${existingWords[existing]}${ttlWords[ttl]}`;
}

function resumeTexts({ resumes_from: from, existing }: KeyPlan): string[] {
  if (from === null) return [];
  const there = existing === 'replace' ? '' : ' and leaves keys that one has written';
  return [
    from === 0
      ? `an earlier run was cut off: this one begins at the start${there}`
      : `goes on after the first ${countOf(from, 'record')}, which an earlier run has done (--restart begins anew)`,
  ];
}

/** What became of it, or the plan where nothing was done. */
export function renderRestoreKeys({ plan, result }: RestoreKeysReport, style: Style, width: number): string {
  if (result === null) return renderKeyPlan(plan, style, width);
  const { written, bytes, seconds, keys_per_second: rate } = result;
  // Of a run that went on, the time is only its own.
  const speed = result.resumed_from === null ? ` in ${formatDuration(seconds * 1000)} (${rate} keys/s)` : '';
  const done = `${countOf(written, 'key')} written`;
  const found =
    written + result.existing + result.expired + result.failed.length + result.problems.length > 0;
  return [
    `${found ? style.good(done) : style.warning('no key matches: nothing written')} into ${printable(plan.target.name)}` +
      (found ? `, ${formatBytes(bytes)}${speed}` : ''),
    ...resultLines(plan, result).map((line) => `  ${line}`),
    ...functionLines(result, style, width),
    ...result.failed.flatMap((failed) => failedLines(failed, result, style, width)),
    ...result.problems.map((problem) =>
      style.bad(wrap(`the dump is damaged, and more keys may be lost: ${printable(problem)}`, width)),
    ),
    ...(result.failed.some(({ reason }) => reason !== isDamaged) && plan.existing !== 'replace'
      ? [wrap('once that is mended, the same command with --skip-existing writes them', width)]
      : []),
    ...(result.evicted > 0 ? [style.bad(wrap(evictedText(result.evicted), width))] : []),
  ].join('\n');
}

function resultLines(
  plan: KeyPlan,
  { existing, expired, empty, passed, resumed_from: resumed }: RestoreKeysResult,
): string[] {
  const there = plan.existing === 'stop' ? 'written by the run that was cut off' : 'left as they are';
  return [
    resumed === null ? '' : 'an earlier run was cut off; what it has written is counted in',
    existing > 0 ? `${existing} there already, ${there}` : '',
    expired > 0
      ? `${expired} had expired${plan.ttl === 'keep' ? ' (--ttl shift or drop writes such)' : ''}`
      : '',
    empty > 0 ? `${empty} without any element, which servers leave out` : '',
    passed > 0 ? `${passed} not asked for` : '',
  ].filter(Boolean);
}

function functionLines({ functions }: RestoreKeysResult, style: Style, width: number): string[] {
  if (functions === null) return [];
  const { loaded, existing, failed } = functions;
  const there = existing > 0 ? `, ${existing} there already` : '';
  return [
    `  ${loaded} function ${loaded === 1 ? 'library' : 'libraries'} loaded${there}`,
    ...failed.map((each) => style.bad(wrap(`function library not loaded: ${printable(each)}`, width))),
  ];
}

function failedLines(
  { reason, keys, examples }: FailedKeys,
  { damaged }: RestoreKeysResult,
  style: Style,
  width: number,
): string[] {
  if (reason === isDamaged && damaged.length > 0)
    return [
      style.bad(wrap(`${countOf(keys, 'key')} not written: ${reason}`, width)),
      ...damaged.map(({ database, key, why }) => labelled('', `${key}, database ${database}: ${why}`, width)),
      ...(keys > damaged.length
        ? [labelled('', `and ${keys - damaged.length} more: --damaged-list FILE names all`, width)]
        : []),
    ];
  const more = keys > examples.length ? ', …' : '';
  const [first = '', ...others] = wrap(
    `${countOf(keys, 'key')} not written: ${printable(reason)}`,
    width - 2,
  ).split('\n');
  return [
    style.bad(first),
    ...others.map((line) => style.bad(`  ${line}`)),
    `  ${examples.join(', ')}${more}`,
  ];
}

function evictedText(evicted: number): string {
  return (
    `${countOf(evicted, 'key')} evicted by the server meanwhile, since it is full (maxmemory): some of what was written ` +
    'may be gone'
  );
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
