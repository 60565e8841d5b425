import type { ReasonOf } from '../domain/errors.ts';
import type { LineEdit } from '../formats/conf/edit-conf.ts';
import type { Accepted } from './policy.ts';

/** Where the winning line of a directive stands. */
export interface ChangePlace {
  file: string;
  line: number;
}

/** One directive that is to become another. Values are as the server shows them; null: it has no value there. */
export interface Change {
  directive: string;
  to: string;
  /** What runs now, and what the next start would go by. */
  run_time: string;
  file: string;
  /** Undefined line: it stands nowhere yet. */
  place: ChangePlace | null;
  /** run time: by CONFIG SET; restart: counts from the next start; file: it runs already, the file says otherwise. */
  class: 'run time' | 'restart' | 'file';
  reason: string;
  source: string;
  risk: string;
  /** What takes it back. */
  inverse: string;
}

/** One that is as the policy wants it, or is made so: noted, so that it is seen when it is no more. */
export interface HeldValue {
  directive: string;
  to: string;
  /** Other values that are right too; shares of memory as sizes. */
  accept: Accepted;
}

/** A user that is as the configuration wants it already. */
export interface HeldUser {
  user: string;
  /** Of what it may do; no secret. */
  mark: string;
}

/** One ACL user that is to become another, by `harden.acl`. */
export interface UserChange {
  user: string;
  /** new: nobody has it; rights: others than it has; closed: nobody logs in as it any more. */
  kind: 'new' | 'rights' | 'closed';
  /** run time: by ACL SETUSER, and in the file; file: it runs already, the file says otherwise. */
  class: 'run time' | 'file';
  /** Behind the name, without passwords. */
  rules: string[];
  reason: string;
  place: ChangePlace | null;
  risk: string;
  inverse: string;
}

/** What the policy wants and the plan does not do. */
export interface Refusal {
  directive: string;
  to: string;
  why: string;
  instead: string;
}

/** What keeps the whole plan from being applied. */
export interface Obstacle {
  name: ReasonOf<'refused'>;
  why: string;
  instead: string;
  /** The flag that insists; null where nothing does. */
  flag: string | null;
}

export interface FileChange {
  path: string;
  edits: LineEdit[];
  /** SHA-256 of the file now and then. */
  before: string;
  after: string;
  diff: string;
}

export interface HardenPlan {
  schema: 1;
  instance: string;
  policy: string;
  engine: string;
  /** By which a plan is known: what it does to what. */
  fingerprint: string;
  changes: Change[];
  /** In the order in which they are changed: `default` is the last. */
  users: UserChange[];
  refused: Refusal[];
  obstacles: Obstacle[];
  files: FileChange[];
  /** Directives that wait for a restart. */
  restart: string[];
  /** Policy directives that this server does not know. */
  unknown: string[];
  host: HostAdvice[];
}

/** Is nothing to do, without a restart or with one? What its files say already only waits for that. */
export function isDone({ changes, users, files }: HardenPlan, restart: boolean): boolean {
  return (
    changes.length + users.length === 0 ||
    (!restart && users.length + files.length === 0 && changes.every((change) => change.class === 'restart'))
  );
}

/** What has to be done around the server, by hand: exact commands. */
export interface HostAdvice {
  about: string;
  why: string;
  commands: string[];
}
