import type { HeldUser, HeldValue } from './changes.ts';
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

/** What holds, by the history, the newest first: the newest word about each directive. */
export function appliedValues(history: readonly Recorded[]): AppliedValue[] {
  const found = new Map<string, AppliedValue>();
  for (const { kind, at, token, detail } of standing(history)) {
    for (const { directive, to, class: how, run_time: before } of listIn<RecordedChange>(detail, 'changes')) {
      if (kind === 'rollback') found.delete(directive);
      else found.set(directive, { directive, to, class: how, accept: {}, before, at, token });
    }
    for (const { directive, to, accept } of listIn<HeldValue>(detail, 'held')) {
      const known = found.get(directive);
      if (kind === 'rollback') found.delete(directive);
      else if (known?.to === to) found.set(directive, { ...known, accept });
      else found.set(directive, { directive, to, class: 'held', accept, before: to, at, token });
    }
  }
  return [...found.values()];
}

/**
 * Applies that nobody has taken back, the oldest first: where one is, what was applied before it holds again. Rollbacks that do not say of
 * what, as they were noted once, are among them.
 */
function standing(history: readonly Recorded[]): Recorded[] {
  const done = history.filter(({ outcome }) => outcome === 'done').toReversed();
  const undone = done.flatMap(({ kind, detail }) => (kind === 'rollback' ? (undoneBy(detail) ?? []) : []));
  return done.filter(({ kind, token, detail }) =>
    kind === 'rollback' ? undoneBy(detail) === undefined : kind === 'apply' && !undone.includes(token),
  );
}

/** An apply that has found all as it is to be: there is nothing to take back. */
export function hasChangedNothing({ kind, detail }: Recorded): boolean {
  return kind === 'apply' && listIn(detail, 'changes').length + listIn(detail, 'users').length === 0;
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
  for (const { kind, at, token, detail } of standing(history)) {
    const changed = listIn<{ user: string; after: string | null }>(detail, 'users');
    const held = listIn<HeldUser>(detail, 'held_users').map(({ user, mark }) => ({ user, after: mark }));
    for (const { user, after: mark } of [...changed, ...held]) {
      if (kind === 'rollback' || mark === null) found.delete(user);
      else if (found.get(user)?.mark !== mark) found.set(user, { user, mark, at, token });
    }
  }
  return [...found.values()];
}

interface RecordedChange {
  directive: string;
  to: string;
  class: string;
  run_time: string;
}

function undoneBy(detail: unknown): string | undefined {
  const undoes =
    typeof detail === 'object' && detail !== null && 'undoes' in detail ? detail.undoes : undefined;
  return typeof undoes === 'string' ? undoes : undefined;
}

/** As harden apply has recorded it; none where it has not. */
function listIn<Entry>(detail: unknown, name: string): Entry[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at in the next line
  const list = typeof detail === 'object' && detail !== null ? (detail as Record<string, unknown>)[name] : [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as harden apply has recorded it
  return Array.isArray(list) ? (list as Entry[]) : [];
}
