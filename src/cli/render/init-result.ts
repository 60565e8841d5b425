import type { InitReport, InstanceReport } from '../../app/init/report.ts';
import { printable } from '../../lib/text/printable.ts';
import type { FirstStep } from '../init/first-pass.ts';
import type { Style } from './style.ts';
import { renderTable, type Cell } from './table.ts';
import { wrap } from './wrap.ts';

/** `steps`: what was gone on with; `next`: what to type then, in order. */
export type InitResult = InitReport & { steps: FirstStep[] | null; next: string[] };

/** For people: what is there now, what is left to do by hand, what to type next. */
export function renderInit(result: InitResult, style: Style, width: number): string {
  const columns = Math.max(40, Math.min(width, 100));
  const parts = [renderFacts(result), ...result.instances.flatMap((instance) => todo(instance, columns))];
  for (const { name, open } of result.instances)
    if (open)
      parts.push(
        wrap(
          `${style.warning('warning:')} ${name} obeys everybody who reaches it: its default user has no password. init leaves that user alone.`,
          columns,
        ),
      );
  if (result.steps !== null) parts.push(renderSteps(result.steps, style, columns));
  if (result.dry_run)
    parts.push(`${printable(result.config)} would be:`, lines(result.text.trimEnd().split('\n'), ''));
  else parts.push(`${style.strong('Next')}\n${lines(result.next, '  ')}`);
  return parts.join('\n\n');
}

/** A word for each, and what it said beside it. */
function renderSteps(steps: FirstStep[], style: Style, columns: number): string {
  return steps
    .map(({ step, instance, ok, said }) => {
      const text = wrap(printable(instance === null ? said : `${instance}: ${said}`), columns - 16);
      const [first = '', ...rest] = text.split('\n');
      const verdict = ok ? style.good('ok    ') : style.bad('failed');
      return [`${step.padEnd(8)}${verdict}  ${first}`, ...rest.map((line) => ' '.repeat(16) + line)].join(
        '\n',
      );
    })
    .join('\n');
}

function lines(text: string[], indent: string): string {
  return text.map((line) => indent + printable(line)).join('\n');
}

function renderFacts({
  instances,
  passed_over: passedOver,
  written,
  kept,
  dry_run: dry,
}: InitResult): string {
  const rows: Cell[][] = [];
  const add = (title: string, values: string[]): void =>
    values.forEach((value, index) => rows.push([index === 0 ? title : '', value]));
  add(
    'servers',
    instances.map((instance) => `${instance.name}: ${describeServer(instance)}`),
  );
  add(
    'passed over',
    passedOver.map(({ pid, why }) => `process ${pid}: ${why}`),
  );
  const did = {
    created: 'created',
    replaced: 'replaced',
    planned: 'would be created',
    'by-hand': 'NOT created',
  };
  add(
    'ACL user',
    instances.map(({ name, user: { name: user, outcome, persistence } }) => {
      const saved = persistence.saved ? ` and saved in ${persistence.file}` : '';
      return `${user} on ${name}: ${did[outcome]}${saved}`;
    }),
  );
  add(
    'role',
    instances.flatMap(({ name, role }) => (role === null ? [] : `${name}: ${role.role}, ${role.why}`)),
  );
  add('rights', [
    'to save (BGSAVE), and to look at figures, settings, users, queues;',
    'none that writes a key or changes the server',
  ]);
  add(dry ? 'would write' : 'wrote', written);
  add('kept', kept);
  return renderTable([{ title: '' }, { title: '' }], rows);
}

function describeServer({ engine, version, url, service }: InstanceReport): string {
  return [`${engine ?? 'a server'} ${version ?? 'of unknown version'}`, url, service]
    .filter(Boolean)
    .join(', ');
}

/** What somebody has to do on that server, with the line to copy on a line of its own. */
function todo({ name, user }: InstanceReport, width: number): string[] {
  const { outcome, why, command, persistence } = user;
  const parts: string[] = [];
  const add = (text: string, line: string): void =>
    void parts.push(`${wrap(printable(text), width)}\n\n${printable(line)}`);
  if (outcome === 'by-hand')
    add(
      `To do on ${name}: the agent’s user is not there yet (${why ?? ''}). In redis-cli, as somebody who may:`,
      command,
    );
  if (persistence.saved) {
    if (persistence.note !== undefined)
      parts.push(wrap(printable(`To do on ${name}: ${persistence.note}`), width));
  } else if (outcome !== 'planned') {
    const place = persistence.file ?? 'its aclfile, or to its redis.conf where it has none';
    add(
      `To do on ${name}: the user is gone when the server restarts (${persistence.why}). Add this line to ${place}, instead of an older one for this user:`,
      persistence.line,
    );
  }
  return parts;
}
