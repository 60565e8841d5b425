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
];
