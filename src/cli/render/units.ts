import type { UnitsReport } from '../../app/init/units.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

/** For people: for which servers it is possible now, and what is left to do. */
export function renderUnits(
  { instances, written, outcome }: UnitsReport,
  style: Style,
  width: number,
): string {
  const columns = Math.max(40, Math.min(width, 100));
  const planned = outcome === 'planned';
  const lines = instances.map(({ instance, user, dir, why }) =>
    wrap(
      why === null
        ? `${style.good('ok:')} ${printable(instance)}: work in ${printable(dir ?? '')} as ${printable(user ?? '')}`
        : `${style.warning('not')} ${printable(instance)}: ${printable(why)}; restored and changed by root only`,
      columns,
    ),
  );
  const files = written.map((path) => `  ${printable(path)}`);
  return [
    lines.join('\n'),
    [planned ? 'It would write:' : 'Written:', ...files].join('\n'),
    planned
      ? 'It would start redis-agent-restore.socket and redis-agent-apply.socket.'
      : wrap(
          'Members of the group redis-agent-admin need no sudo now for redis-agent restore and redis-agent harden plan, apply and rollback. To make somebody one:',
          columns,
        ) + '\n\n  sudo usermod -aG redis-agent-admin NAME',
  ].join('\n\n');
}
