import { alertTables } from './alerts.ts';
import { renamedRules } from './former-names.ts';

/**
 * The schema's steps, oldest first; `user_version` counts those applied. Never edit one that has been released: add
 * the next. Times are milliseconds since the epoch.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    instance    TEXT NOT NULL,
    job         TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    outcome     TEXT CHECK (outcome IN ('ok', 'failed', 'interrupted')),
    summary     TEXT
  ) STRICT;
  CREATE INDEX runs_by_job ON runs (instance, job, started_at);
  CREATE TABLE findings (
    instance    TEXT NOT NULL,
    rule        TEXT NOT NULL,
    resource    TEXT NOT NULL,
    severity    TEXT NOT NULL,
    summary     TEXT NOT NULL,
    remedy      TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (instance, rule, resource)
  ) STRICT;
  `,
  // What a run came to, as JSON: of drills, so that the next restore can say how long it will take.
  `ALTER TABLE runs ADD COLUMN detail TEXT;`,
  // Findings that are closed are kept: episodes. Fetching a backup is no run any more, so nothing would close its failure.
  `
  CREATE TABLE episodes (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    instance    TEXT NOT NULL,
    rule        TEXT NOT NULL,
    resource    TEXT NOT NULL,
    severity    TEXT NOT NULL,
    summary     TEXT NOT NULL,
    remedy      TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    closed_at   INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX episodes_open ON episodes (instance, rule, resource) WHERE closed_at IS NULL;
  CREATE INDEX episodes_by_end ON episodes (closed_at);
  INSERT INTO episodes (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
    SELECT instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen
    FROM findings ORDER BY first_seen;
  UPDATE episodes SET closed_at = last_seen WHERE rule = 'fetch-failed';
  DROP TABLE findings;
  `,
  // The maintenance rotations: when a task was first known, and what happened to it (kept: auditors ask for years).
  `
  CREATE TABLE tasks (
    instance   TEXT NOT NULL,
    task       TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (instance, task)
  ) STRICT;
  CREATE TABLE task_entries (
    id       INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    task     TEXT NOT NULL,
    outcome  TEXT NOT NULL CHECK (outcome IN ('done', 'skipped')),
    at       INTEGER NOT NULL,
    by       TEXT NOT NULL,
    note     TEXT NOT NULL,
    evidence TEXT NOT NULL
  ) STRICT;
  CREATE INDEX task_entries_by_task ON task_entries (instance, task, at);
  `,
  // What the daemon will try again, for who asks meanwhile.
  `
  CREATE TABLE retries (
    instance TEXT NOT NULL,
    job      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    cause    TEXT NOT NULL,
    PRIMARY KEY (instance, job)
  ) STRICT;
  `,
  alertTables,
  // What was changed at servers, and by whom.
  `
  CREATE TABLE changes (
    id       INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    token    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT NOT NULL,
    outcome  TEXT NOT NULL CHECK (outcome IN ('done', 'rolled-back', 'failed')),
    summary  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    UNIQUE (instance, token)
  ) STRICT;
  `,
  // What goes along with notices: a report is larger than all that an outbox should carry in its rows.
  `
  CREATE TABLE notice_files (
    thread  TEXT NOT NULL,
    name    TEXT NOT NULL,
    type    TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (thread, name)
  ) STRICT;
  `,
  // What scratch servers have loaded, by the bytes.
  `
  CREATE TABLE loads (
    sha256  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    engine  TEXT NOT NULL,
    version TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (sha256, kind, engine, version)
  ) STRICT, WITHOUT ROWID;
  `,
  // Of which dumps every value was decoded, and what was found: a live restore of the same need not do it first.
  `
  CREATE TABLE deep_proofs (
    sha256  TEXT NOT NULL,
    engine  TEXT NOT NULL,
    version TEXT NOT NULL,
    at      INTEGER NOT NULL,
    found   TEXT NOT NULL,
    blocks  BLOB NOT NULL,
    PRIMARY KEY (sha256, engine, version)
  ) STRICT;
  `,
  renamedRules,
];
