import type { RightsReport } from '../../app/init/give-rights.ts';
import type { RightsPurpose } from '../../app/init/agent-rights.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

const purposes: Readonly<Record<RightsPurpose, string>> = {
  backup: 'for backups',
  watching: 'for watching',
  queues: 'for queues and patterns',
  audit: 'for the audit',
};

/** For people: what each user lacks, what was done, and the lines to copy on lines of their own. */
export function renderRights(reports: readonly RightsReport[], style: Style, width: number): string {
  const columns = Math.max(40, Math.min(width, 100));
  return reports
    .map((report) => [renderOne(report, style, columns), ...others(report, columns)].join('\n\n'))
    .join('\n\n');
}

/** Users are not replicated: after a failover the agent is a stranger on a node that nobody has told of it. */
function others({ instance, other_nodes: nodes }: RightsReport, width: number): string[] {
  if (nodes.length === 0) return [];
  const text = `Users are each node’s own, and ${printable(instance)} names nodes that are no instances of this configuration: ${nodes.join(', ')}. Name them there, or give its user the same on them, for the day of a failover.`;
  return [wrap(text, width)];
}

function renderOne(report: RightsReport, style: Style, width: number): string {
  const { instance, user, engine, version, missing, outcome, command } = report;
  const name = printable(user);
  const where = `${printable(instance)} (${engine ?? 'a server'} ${version ?? 'of unknown version'})`;
  if (outcome === 'complete')
    return wrap(`${style.good('ok:')} ${name} on ${where} has all the rights that the agent needs`, width);
  const parts = [
    wrap(`${name} on ${where} lacks:`, width),
    missing
      .map(({ purpose, rights }) => wrap(`  ${purposes[purpose]}: ${printable(rights.join(' '))}`, width))
      .join('\n'),
  ];
  const line = (text: string, what: string): void =>
    void parts.push(`${wrap(printable(text), width)}\n\n${printable(what)}`);
  if (outcome === 'given') parts.push(`${style.good('given')}: ${name} has it now`);
  else if (outcome === 'by-hand')
    line(`NOT given: ${report.why ?? ''}. In redis-cli, as somebody who may:`, command ?? '');
  else line('In redis-cli, as somebody who may, or redis-agent init --rights:', command ?? '');
  const { persistence } = report;
  if (persistence?.saved === true)
    parts.push(
      wrap(printable(['saved in', persistence.file, persistence.note].filter(Boolean).join(' ')), width),
    );
  if (persistence?.saved === false)
    line(
      `It is gone when the server restarts (${persistence.why}). Add this to the end of the line “user ${user} …” in ${persistence.file ?? 'its aclfile, or its redis.conf where it has none'}:`,
      persistence.line,
    );
  return parts.join('\n\n');
}
