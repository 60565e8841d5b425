import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/aof.md';

/** What is raised about an append only file: `aof-<verdict>`, and the check that broke off. */
export const aofRules: readonly Rule[] = [
  {
    id: 'aof-torn',
    severity: 'critical',
    title: 'the append only file ends inside a command or transaction',
    why: 'The next start cuts off what is torn, and all that was written behind it.',
    page,
  },
  {
    id: 'aof-corrupt',
    severity: 'critical',
    title: 'the append only file is not what it has to be',
    why: 'The server refuses to start with it, or silently drops everything behind the fault.',
    page,
  },
  {
    id: 'aof-missing',
    severity: 'critical',
    title: 'the append only file, or a part of it, is not there',
    why: 'The next start fails or comes up empty.',
    page,
  },
  {
    id: 'aof-unexpected',
    severity: 'warning',
    title: 'a file lies beside the append only file that no manifest lists',
    why: 'The server does not load it: it takes room, or it is data that somebody misses.',
    page,
  },
  {
    id: 'aof-sequence',
    severity: 'critical',
    title: 'the manifest of the append only file contradicts itself',
    why: 'The server refuses to load it, or loads its files in an order that gives other data.',
    page,
  },
  {
    id: 'aof-mismatch',
    severity: 'critical',
    title: 'the files of the append only file do not belong together',
    why: 'A server does not check that: it loads them and applies commands twice, or not at all.',
    page,
  },
  {
    id: 'aof-config',
    severity: 'critical',
    title: 'the configuration file contradicts the server about the AOF',
    why: 'The next start reads other files than the server writes now, and may come up empty.',
    page,
  },
  {
    id: 'aof-unknown',
    severity: 'warning',
    title: 'the append only file holds what this version cannot read',
    why: 'It may be sound; nobody has looked.',
    page,
  },
  {
    id: 'aof-hostile',
    severity: 'critical',
    title: 'the append only file has administrative commands run',
    why: 'No server writes those there: whoever did has the server that starts with it run what he likes.',
    page,
  },
  {
    id: 'check-aof-failed',
    severity: 'critical',
    title: 'the check of the append only file broke off',
    why: 'Nobody knows whether the server could start with what it writes.',
    page,
  },
];

/** What a check that came to its end has evaluated. */
export const aofVerdictRules: readonly string[] = aofRules
  .map(({ id }) => id)
  .filter((id) => id !== 'check-aof-failed');
