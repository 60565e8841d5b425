import type { KeyPlan } from '../../backup/restore-keys/judge-key-plan.ts';
import type { FailedKeys } from '../../backup/restore-keys/tally.ts';
import type { RestoreKeysReport, RestoreKeysResult } from '../../jobs/restore-keys.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Style } from './style.ts';

/** What a restore of keys will do. */
export function renderKeyPlan(plan: KeyPlan, style: Style): string {
  const { source, target, keys, survey, method_reason: reason } = plan;
  const taken = source.taken_at === null ? '' : `, taken ${source.taken_at}`;
  const there = Object.values(target.databases).reduce((sum, count) => sum + count, 0);
  const where = keys.database === undefined ? '' : ` of database ${keys.database}`;
  const to = keys.to_database === undefined ? '' : `, into database ${keys.to_database}`;
  return [
    `from  ${style.strong(printable(source.name))}${taken}`,
    `into  ${style.strong(printable(target.name))}, ${target.engine} ${printable(target.version)}, ` +
      `${there} keys, ${formatBytes(target.used_memory)} used${target.maxmemory > 0 ? ` of ${formatBytes(target.maxmemory)}` : ''}` +
      `, AOF ${target.aof ? 'on' : 'off'}`,
    `keys  ${keys.patterns.map((pattern) => printable(pattern)).join(' ')}${keys.type === undefined ? '' : `, ${keys.type}s only`}${where}${to}`,
    ...surveyLines(plan),
    `how   ${plan.method === 'restore' ? 'by RESTORE' : `by plain commands, since RESTORE does not work there: ${printable(reason ?? '')}`}; ${existingWords[plan.existing]}`,
    ...(survey === null ? ['      the dump is read once, so nothing is counted before'] : []),
    ...(plan.resumes_from === null
      ? []
      : [
          `      goes on after the first ${plan.resumes_from} records, which an earlier run has done (--restart begins anew)`,
        ]),
    ...plan.warnings.map((warning) => style.warning(`note  ${printable(warning)}`)),
  ].join('\n');
}

const existingWords = {
  stop: 'stops at a key that is there already',
  replace: 'overwrites keys that are there already',
  skip: 'leaves keys that are there already',
};

function surveyLines({ survey }: KeyPlan): string[] {
  if (survey === null) return [];
  const kinds = Object.entries(survey.types).map(([type, { keys }]) => `${keys} ${type}`);
  const databases = Object.entries(survey.databases).map(
    ([database, { keys }]) => `${keys} in database ${database}`,
  );
  const details = [kinds.join(', '), ...(databases.length > 1 ? [databases.join(', ')] : [])].filter(
    (text) => text !== '',
  );
  const besides = [
    survey.passed > 0 ? `${survey.passed} others are not asked for` : '',
    survey.expired > 0 ? `${survey.expired} have expired` : '',
    survey.by_commands > 0 ? `${survey.by_commands} are built by plain commands` : '',
  ].filter((text) => text !== '');
  return [
    `what  ${survey.keys} keys, ${formatBytes(survey.bytes)} in the dump${details.length === 0 ? '' : `: ${details.join('; ')}`}`,
    ...(besides.length === 0 ? [] : [`      ${besides.join('; ')}`]),
  ];
}

/** What became of it, or the plan where nothing was done. */
export function renderRestoreKeys({ plan, result }: RestoreKeysReport, style: Style): string {
  if (result === null) return renderKeyPlan(plan, style);
  return [
    `${style.good(`${result.written} keys written`)} into ${printable(plan.target.name)}, ${formatBytes(result.bytes)}` +
      ` in ${formatDuration(result.seconds * 1000)} (${result.keys_per_second} keys/s)`,
    ...resultLines(plan, result),
    ...result.failed.map((failed) => style.bad(failedLine(failed))),
  ].join('\n');
}

function resultLines(
  plan: KeyPlan,
  { existing, expired, passed, resumed_from: resumed }: RestoreKeysResult,
): string[] {
  const lines: string[] = [];
  if (resumed !== null)
    lines.push(`${resumed} records were done by an earlier run, whose keys are counted in`);
  if (existing > 0)
    lines.push(
      plan.existing === 'stop'
        ? `${existing} were there already, written by the run that was cut off`
        : `${existing} were there already and are left as they are`,
    );
  if (expired > 0) lines.push(`${expired} had expired`);
  if (passed > 0) lines.push(`${passed} others were not asked for`);
  return lines;
}

function failedLine({ reason, keys, examples }: FailedKeys): string {
  const more = keys > examples.length ? ', …' : '';
  return `${keys} not written: ${printable(reason)} (${examples.join(', ')}${more})`;
}
