import { parseInfo } from '../../formats/info/parse-info.ts';
import type { Collector } from './parts/collector.ts';
import { finite, pairsOf, textOf } from './parts/numbers.ts';

/** How many commands have their latency read: each named one costs the server about 4 µs. */
const busiest = 4;
/** The agent's own: few, but on an idle server the busiest. */
const ours =
  /^(ping|info|time|auth|config\|get|slowlog\|get|latency\|histogram|client\|(list|setname|id)|acl\|log|cluster\|info|sentinel\|(masters|ckquorum))$/;
/** Before 7.0 only the first word is counted. */
const oursOfOld = /^(config|slowlog|acl)$/;
const most = 400;

/** Which commands take the server's time, from INFO commandstats. */
export const commandsCollector: Collector = {
  name: 'commands',
  rights: ['+info'],
  every: 60_000,
  frugal: 21_600_000,
  applies: ({ mode }) => mode !== 'sentinel',
  commands: () => [['INFO', 'commandstats']],
  read([reply], draft, { costs: before, runId, version }) {
    const costs = new Map<string, { calls: number; micros: number }>();
    for (const [field, value] of parseInfo(textOf(reply))) {
      if (!field.startsWith('cmdstat_') || costs.size >= most) continue;
      const pairs = pairsOf(value);
      const calls = finite(pairs.get('calls'));
      const micros = finite(pairs.get('usec'));
      const name = field.slice('cmdstat_'.length);
      if (calls !== undefined && micros !== undefined && /^[\w.|-]{1,60}$/.test(name))
        costs.set(name, { calls, micros });
    }
    draft.known.costs = costs;
    if (before === undefined) return;
    const same = draft.known.runId === undefined || draft.known.runId === runId;
    const isOurs = (command: string): boolean =>
      ours.test(command) || ((version?.[0] ?? 7) < 7 && oursOfOld.test(command));
    draft.commands = [...costs]
      .map(([command, now]) => {
        const then = same ? before.get(command) : undefined;
        const whole = then === undefined || now.calls < then.calls || now.micros < then.micros;
        return {
          command,
          calls: whole ? now.calls : now.calls - then.calls,
          micros: whole ? now.micros : now.micros - then.micros,
        };
      })
      .filter(({ command, calls }) => calls > 0 && !isOurs(command))
      .toSorted((a, b) => b.micros - a.micros);
    draft.known.busiest = draft.commands.slice(0, busiest).map(({ command }) => command);
  },
};
