import { expect, test } from 'vitest';
import { alike, type AuditFinding } from '../../../../src/harden/audit/report.ts';

/** What it is judged by, and nothing else. */
const finding = (rule: string, resource: string, remedy: string): AuditFinding =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as said
  ({ rule, resource, remedy }) as AuditFinding;

test('what one remedy ends stands together, in the place of the first', () => {
  const groups = alike([
    finding('VER01', 'CVE-1', 'upgrade'),
    finding('NET01', 'bind', 'bind it'),
    finding('VER01', 'CVE-2', 'upgrade'),
    finding('ACL07', 'a', 'narrow a'),
    finding('ACL07', 'b', 'narrow b'),
    finding('VER02', 'redis-7.0', 'upgrade'),
  ]);
  expect(groups.map((group) => group.map(({ resource }) => resource))).toEqual([
    ['CVE-1', 'CVE-2'],
    ['bind'],
    ['a'],
    ['b'],
    ['redis-7.0'],
  ]);
});
