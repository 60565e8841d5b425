import type { ApplyReport } from '../../jobs/harden/apply-harden.ts';
import type { RollbackReport } from '../../jobs/harden/rollback-harden.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

export function renderApplied(
  { plan, outcome, token, waiting, passwords, interrupted }: ApplyReport,
  style: Style,
  width: number,
): string {
  const lines = interrupted === null ? [] : [style.warning(wrap(printable(interrupted), width))];
  if (outcome === 'nothing')
    lines.push(
      style.good(
        `${printable(plan.instance)}: nothing to change${waiting.length > 0 ? ' without a restart' : ', what is wanted is there'}`,
      ),
      'noted: what is otherwise later is told as config-drift',
    );
  else {
    const number = plan.changes.length + plan.users.length;
    const count = `${number} change${number === 1 ? '' : 's'}`;
    lines.push(style.good(`${printable(plan.instance)}: ${count} made, looked at over new connections`));
    lines.push(`back again: redis-agent harden rollback ${token ?? ''}`);
  }
  for (const { user, path } of passwords)
    lines.push(
      wrap(
        printable(`the password of ${user} is in ${path}, for you alone: hand it on, then remove it`),
        width,
      ),
    );
  if (waiting.length > 0)
    lines.push(
      style.warning(
        wrap(`count from the next start only: ${waiting.join(', ')} (--restart does it now)`, width),
      ),
    );
  for (const { directive, why } of plan.refused)
    lines.push(style.warning(wrap(printable(`not done: ${directive}: ${why}`), width)));
  return lines.join('\n');
}

export function renderRolledBack(report: RollbackReport, style: Style, width: number): string {
  const { undone, policy, outcome, changes, users, files, passwords, waiting, interrupted } = report;
  const lines = interrupted === null ? [] : [style.warning(wrap(printable(interrupted), width))];
  lines.push(
    outcome === 'done'
      ? style.good(`taken back: ${undone}, policy ${printable(policy)}`)
      : `would be taken back: ${undone}, policy ${printable(policy)}`,
  );
  for (const { directive, to, run_time: before } of changes)
    lines.push(`  ${directive}  ${printable(to)} → ${printable(before === '' ? '""' : before)}`);
  for (const user of users) lines.push(`  user ${printable(user)}, as it was`);
  for (const path of files) lines.push(`  ${printable(path)}, byte for byte`);
  for (const path of passwords) lines.push(`  ${printable(path)}, removed: its user is gone`);
  if (waiting.length > 0)
    lines.push(
      style.warning(
        wrap(`count from the next start only: ${waiting.join(', ')} (--restart does it now)`, width),
      ),
    );
  return lines.join('\n');
}
