import { counted } from '../../lib/text/counted.ts';
import type { ChannelTrouble } from '../../app/status/channel-trouble.ts';
import {
  readStatus,
  type InstanceStatus,
  type StoredParts,
  type Unavailable,
} from '../../app/status/read-status.ts';
import { atLeast } from '../../domain/finding.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import { defineCommand, type CommandContext, type RenderContext } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { paintSeverity } from '../render/severity.ts';
import type { Style } from '../render/style.ts';
import { renderNextRuns } from '../render/next-runs.ts';
import { formatMeasure } from '../render/measure.ts';
import { sparkline } from '../render/sparkline.ts';
import { renderTable, type Cell } from '../render/table.ts';
import { formatAge } from '../render/time.ts';
import { watchInterval, watchOption, type WatchArgs } from '../watch-command.ts';

/** What a watch has read from the repository, by its run. */
const stored = new WeakMap<CommandContext, StoredParts>();

export const statusCommand = defineCommand<WatchArgs, InstanceStatus[]>({
  usage: 'status',
  summary: 'One screen: server, memory, persistence, newest backup, proof and drill, findings',
  options: watchOption,
  examples: [['$0 status --watch', 'again with every poll, until Ctrl-C']],
  async run(context) {
    const app = await context.app();
    const instances = app.instances(context.globals.instance);
    const parts = stored.get(context) ?? new Map();
    stored.set(context, parts);
    return Promise.all(instances.map((instance) => readStatus(app, instance, context.signal, parts)));
  },
  watch: {
    async every(context, { watch }) {
      if (!watch) return undefined;
      const app = await context.app();
      return watchInterval(app, app.instances(context.globals.instance));
    },
    line: (all, { now }) => all.map((status) => statusLine(status, now)).join('\n'),
  },
  // Channels are the agent’s and no instance’s: once is enough.
  render: (all, context) =>
    all
      .map((status, index) => renderInstance(index === 0 ? status : { ...status, channels: [] }, context))
      .join('\n\n'),
  document: (all) =>
    all.map((status) => ({
      ...status,
      findings: status.findings.map((finding) => ({
        instance: finding.instance,
        rule: finding.rule,
        resource: finding.resource,
        severity: finding.severity,
        summary: finding.summary,
        remedy: finding.remedy,
        evidence: finding.evidence,
        first_seen: new Date(finding.first_seen).toISOString(),
        last_seen: new Date(finding.last_seen).toISOString(),
      })),
    })),
  exitCode: (all) => {
    // The server first: without it nothing else counts.
    const parts = [...all.map(({ server }) => server), ...all.map(({ backups }) => backups)];
    const unavailable = parts.find((part) => 'problem' in part);
    if (unavailable !== undefined) return exitCodes[unavailable.code];
    const alarming = all.some(({ findings }) =>
      findings.some(({ severity }) => atLeast(severity, 'warning')),
    );
    const unheard = all.some(({ channels }) => channels.some(({ trouble }) => trouble !== 'failing'));
    return alarming || unheard ? exitCodes.findings : exitCodes.ok;
  },
});

/** What stands before a row: `persistence`, and two spaces. */
const labelWidth = 13;

function renderInstance(status: InstanceStatus, { style, width, now }: RenderContext): string {
  const { instance, server, backups, drill, findings, daemon, next_runs: runs, history } = status;
  const { channels, state } = status;
  const rows: Cell[][] = [];
  if ('problem' in server) rows.push(['server', { text: describeProblem(server), paint: style.bad }]);
  else {
    const memory = server.memory_limit === null ? '' : ` of ${formatBytes(server.memory_limit)}`;
    rows.push(
      [
        'server',
        `${server.engine} ${server.version}, ${server.role}, up ${formatDuration(server.uptime_seconds * 1000)}`,
      ],
      [
        'memory',
        `${formatBytes(server.used_memory)}${memory} used, ${counted(server.clients, 'client')}, ${counted(server.keys, 'key')}`,
      ],
      [
        'persistence',
        {
          text: `last save ${server.last_save_ok ? 'ok' : 'FAILED'}, AOF ${server.aof ? 'on' : 'off'}`,
          paint: server.last_save_ok ? (text) => text : style.bad,
        },
      ],
    );
  }
  if ('problem' in backups) rows.push(['backups', { text: describeProblem(backups), paint: style.bad }]);
  else if (backups.newest === null) rows.push(['backups', { text: 'none yet', paint: style.bad }]);
  else {
    const { id, at, bytes } = backups.newest;
    rows.push([
      'backups',
      `${backups.count}, newest ${id} (${formatAge(Date.parse(at), now)}, ${formatBytes(bytes)})`,
    ]);
    if (backups.unencrypted > 0)
      rows.push([
        '',
        {
          text: `${backups.unencrypted} of them NOT ENCRYPTED, although encryption is configured`,
          paint: style.bad,
        },
      ]);
    rows.push(
      backups.proven === null
        ? ['proven', { text: 'none of them', paint: style.warning }]
        : [
            'proven',
            `${backups.proven.id}: ${backups.proven.level} (${formatAge(Date.parse(backups.proven.at), now)})`,
          ],
    );
  }
  rows.push(drillRow(drill, style, now));
  for (const { metric, values } of history)
    rows.push([curveNames[metric] ?? metric, drawCurve(metric, values)]);
  if (daemon) {
    const due = renderNextRuns(runs, now, width - labelWidth);
    rows.push(...due.map((line, index): Cell[] => [index === 0 ? 'next' : '', line]));
  } else
    rows.push([
      'next',
      { text: 'nothing: no daemon runs (redis-agent run, or its unit)', paint: style.warning },
    ]);
  for (const [index, trouble] of channels.entries())
    rows.push([index === 0 ? 'alerts' : '', { text: describeTrouble(trouble, now), paint: style.bad }]);
  if (state !== null)
    rows.push(['state', { text: `${printable(state)}: what happens is NOT REMEMBERED`, paint: style.bad }]);
  for (const { severity, summary, remedy } of blindAsOne(findings))
    rows.push([{ text: severity, paint: paintSeverity(style, severity) }, `${summary}; ${remedy}`]);
  if (findings.length === 0) {
    const unseen = unseenBy(status);
    rows.push([
      'findings',
      unseen === undefined
        ? { text: 'none', paint: style.good }
        : { text: `none known: ${unseen}`, paint: style.warning },
    ]);
  }
  return `${style.strong(instance)}\n${renderTable([{ title: '' }, { title: '' }], rows)}`;
}

/** Who has not looked, where nothing was found: what nobody has looked at is not well. */
function unseenBy({ history, audited }: InstanceStatus): string | undefined {
  const lacking = [
    ...(history.length === 0 ? ['not watched in the last day (redis-agent run)'] : []),
    ...(audited === null ? ['never audited (redis-agent audit)'] : []),
  ];
  return lacking.length === 0 ? undefined : lacking.join(', ');
}

type Shown = InstanceStatus['findings'][number];

/** A provider that offers little is one line, not seven: what cannot be seen for the same reason is told together. */
function blindAsOne(findings: readonly Shown[]): Shown[] {
  const likeness = ({ rule, severity, evidence }: Shown): string | undefined =>
    rule === 'watch-blind' && !ofOneQueue.has(String(evidence['reason']))
      ? `${severity} ${String(evidence['reason'])}`
      : undefined;
  return findings.flatMap((finding, at) => {
    const like = likeness(finding);
    if (like === undefined) return [finding];
    const alike = findings.filter((other) => likeness(other) === like);
    if (alike.length === 1) return [finding];
    if (findings.findIndex((other) => likeness(other) === like) !== at) return [];
    // `what slowlog would tell is not known: instance b: SLOWLOG GET: the server …`
    const commands = alike.flatMap(
      ({ summary }) => /(?:: |may not run )([A-Z][A-Z ]*[A-Z])(?=[:;,]|$)/.exec(summary)?.[1] ?? [],
    );
    const why = blindReasons[String(finding.evidence['reason'])] ?? 'the server refuses';
    return [
      {
        ...finding,
        summary: `what ${alike.map(({ resource }) => resource).join(', ')} would tell is not known: ${why} ${[...new Set(commands)].join(', ')}`,
      },
    ];
  });
}

/** Each with a remedy of its own. */
const ofOneQueue: ReadonlySet<string> = new Set(['keys', 'type']);

const blindReasons: Readonly<Record<string, string>> = {
  'unknown-command': 'the server does not know',
  noperm: 'the agent’s user may not run',
};

const troubles = { disabled: 'does not work', failing: 'fails', stuck: 'is stuck' };

function describeTrouble({ channel, trouble, since, problem, waiting }: ChannelTrouble, now: number): string {
  const why = problem === null ? '' : ` (${printable(problem)})`;
  const count = waiting === 0 ? '' : `; ${waiting} message${waiting === 1 ? ' waits' : 's wait'}`;
  return `${printable(channel)} ${troubles[trouble]} since ${formatAge(Date.parse(since), now)}${why}${count}`;
}

/** A line for a log. */
function statusLine({ instance, server, backups, findings, channels }: InstanceStatus, now: number): string {
  const worst = findings[0];
  const parts = [
    `${new Date(now).toISOString()} ${printable(instance)}`,
    'problem' in server
      ? printable(server.problem)
      : `memory ${formatBytes(server.used_memory)}  clients ${server.clients}  keys ${server.keys}`,
    'problem' in backups
      ? printable(backups.problem)
      : `backup ${backups.newest === null ? 'none' : formatAge(Date.parse(backups.newest.at), now)}`,
    worst === undefined ? 'findings none' : `findings ${findings.length} (${worst.severity} ${worst.rule})`,
    ...channels.map(({ channel, trouble }) => `${printable(channel)} ${troubles[trouble]}`),
  ];
  return parts.join('  ');
}

const curveNames: Record<string, string> = {
  memory_used_bytes: 'memory 24h',
  commands_total: 'commands',
  clients_connected: 'clients',
};

/** What it was over the day, and what it is now. */
function drawCurve(metric: string, values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1) ?? 0;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const range = `${formatMeasure(metric, low)} to ${formatMeasure(metric, high)}`;
  return `${sparkline(values.map((value) => value ?? undefined))} ${low === high ? formatMeasure(metric, last) : range}`;
}

function drillRow(drill: InstanceStatus['drill'], style: Style, now: number): Cell[] {
  if (drill === null) return ['drill', { text: 'none yet: redis-agent drill', paint: style.warning }];
  const { outcome, backup, at, summary, recovery_seconds: recovery } = drill;
  const ago = formatAge(Date.parse(at), now);
  if (outcome === 'skipped') return ['drill', { text: `skipped ${ago}: ${summary}`, paint: style.warning }];
  if (outcome === 'failed')
    return ['drill', { text: `${backup} DOES NOT RESTORE (${ago}): ${summary}`, paint: style.bad }];
  const time = recovery === null ? '' : ` in ${formatDuration(recovery * 1000)}`;
  return ['drill', `${backup} restored${time} (${ago})`];
}

function describeProblem({ problem, hint }: Unavailable): string {
  return hint === null ? problem : `${problem}; ${hint}`;
}
