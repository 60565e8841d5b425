import type { HeldValue } from './changes.ts';
import type { Accepted } from './policy.ts';

/** What stands of a change in the history. */
interface Recorded {
  kind: string;
  outcome: string;
  at: number;
  token: string;
  detail: unknown;
}

/** A directive that an apply has set, or found as it is to be, and nobody has taken back. */
export interface AppliedValue {
  directive: string;
  to: string;
  /** Of the change; `held`: it was so already. */
  class: string;
  /** Other values that are right too. */
  accept: Accepted;
  /** What it was before. */
  before: string;
  at: number;
  token: string;
}

/** What holds, by the history: the newest word about each directive; a rollback takes its word back. */
export function appliedValues(history: readonly Recorded[]): AppliedValue[] {
  const found = new Map<string, AppliedValue>();
  for (const { kind, at, token, detail } of inOrder(history)) {
    for (const { directive, to, class: how, run_time: before } of changesIn(detail)) {
      if (kind === 'rollback') found.delete(directive);
      else found.set(directive, { directive, to, class: how, accept: {}, before, at, token });
    }
    for (const { directive, to, accept } of heldIn(detail)) {
      if (kind === 'rollback') found.delete(directive);
      else if (found.get(directive)?.to !== to)
        found.set(directive, { directive, to, class: 'held', accept, before: to, at, token });
    }
  }
  return [...found.values()];
}

/** What was applied or taken back, the oldest first. */
function inOrder(history: readonly Recorded[]): Recorded[] {
  return history
    .filter(({ kind, outcome }) => outcome === 'done' && (kind === 'apply' || kind === 'rollback'))
    .toSorted((a, b) => a.at - b.at);
}

/** An ACL user as an apply has left it, that nobody has taken back. */
export interface AppliedUser {
  user: string;
  /** Of what it could do then; no secret. */
  mark: string;
  at: number;
  token: string;
}

/** As `appliedValues`, of users. */
export function appliedUsers(history: readonly Recorded[]): AppliedUser[] {
  const found = new Map<string, AppliedUser>();
  for (const { kind, at, token, detail } of inOrder(history)) {
    for (const { user, after: mark } of usersIn(detail)) {
      if (kind === 'rollback' || mark === null) found.delete(user);
      else found.set(user, { user, mark, at, token });
    }
  }
  return [...found.values()];
}

function usersIn(detail: unknown): { user: string; after: string | null }[] {
  if (typeof detail !== 'object' || detail === null || !('users' in detail)) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as harden apply has recorded it
  return Array.isArray(detail.users) ? (detail.users as { user: string; after: string | null }[]) : [];
}

interface RecordedChange {
  directive: string;
  to: string;
  class: string;
  run_time: string;
}

function heldIn(detail: unknown): HeldValue[] {
  if (typeof detail !== 'object' || detail === null || !('held' in detail)) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as harden apply has recorded it
  return Array.isArray(detail.held) ? (detail.held as HeldValue[]) : [];
}

function changesIn(detail: unknown): RecordedChange[] {
  if (typeof detail !== 'object' || detail === null || !('changes' in detail)) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as harden apply has recorded it
  return Array.isArray(detail.changes) ? (detail.changes as RecordedChange[]) : [];
}
