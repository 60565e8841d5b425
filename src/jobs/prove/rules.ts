import type { Rule } from '../../domain/rule.ts';

const page = 'docs/findings/backup.md';

export const damagedRule: Rule = {
  id: 'backup-damaged',
  severity: 'critical',
  title: 'a stored backup is damaged',
  why: 'It cannot be restored as it was taken, and what damaged it may have reached others.',
  page,
};

export const unprovenRule: Rule = {
  id: 'backup-unproven',
  severity: 'high',
  title: 'a stored backup could not be proven',
  why: 'It may be sound, but this host could not read or decrypt it, and then could not restore it either.',
  page,
};

/** What is raised by proofs. */
export const proofRules: readonly Rule[] = [
  damagedRule,
  unprovenRule,
  {
    id: 'prove-failed',
    severity: 'critical',
    title: 'the proof after a backup broke off',
    why: 'The newest backup is stored, and nobody has read it back.',
    page,
  },
  {
    id: 'verify-failed',
    severity: 'critical',
    title: 'the proof of the stored backups broke off',
    why: 'Disks rot without a word; damage is noticed only on the day a backup is needed.',
    page,
  },
];
