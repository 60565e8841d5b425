import type { FleetHost } from '../../app/report/gather-fleet.ts';
import type { Style } from './style.ts';
import { renderTable } from './table.ts';
import { formatAge } from './time.ts';

/** A line for each instance; those that need somebody first. */
export function renderFleet(hosts: readonly FleetHost[], style: Style, now: number): string {
  if (hosts.length === 0) return 'No backup of any instance in this repository yet';
  const age = (at: number | null): string => (at === null ? 'none' : formatAge(at, now));
  const sorted = hosts.toSorted((a, b) => weight(b) - weight(a));
  const titles = ['INSTANCE', 'HOST', 'NEWEST', 'PROVEN', 'DRILLED', ''].map((title) => ({ title }));
  return renderTable(
    titles,
    sorted.map((host) => {
      const [worst] = host.problems;
      const paint = worst === undefined ? style.good : worst.tone === 'bad' ? style.bad : style.warning;
      const text = host.problems.map((problem) => problem.text).join('; ') || 'in order';
      return [
        host.instance,
        host.host ?? '',
        age(host.newestAt),
        age(host.provenAt),
        age(host.drilled?.at ?? null),
        { text, paint },
      ];
    }),
  );
}

function weight({ problems }: FleetHost): number {
  return problems.filter(({ tone }) => tone === 'bad').length * 100 + problems.length;
}
