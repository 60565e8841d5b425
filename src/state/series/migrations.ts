/** Only ever added to: files of earlier versions are brought up to date step by step. */
export const seriesMigrations: readonly string[] = [
  `
  CREATE TABLE subject (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  -- The hour that is going on, a row a poll: pairs of a metric (Float64) and its value.
  CREATE TABLE recent (subject INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (subject, at)) STRICT, WITHOUT ROWID;
  -- Sealed stretches, see tiers.ts.
  CREATE TABLE chunk (subject INTEGER NOT NULL, tier INTEGER NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (subject, tier, start)) STRICT;
  -- Slow commands by day and fingerprint; times in microseconds.
  CREATE TABLE slow (subject INTEGER NOT NULL, day INTEGER NOT NULL, fingerprint TEXT NOT NULL, shape TEXT NOT NULL,
    count INTEGER NOT NULL, total INTEGER NOT NULL, worst INTEGER NOT NULL, last INTEGER NOT NULL,
    histogram TEXT NOT NULL, clients TEXT NOT NULL, PRIMARY KEY (subject, day, fingerprint)) STRICT, WITHOUT ROWID;
  CREATE TABLE slow_lost (subject INTEGER NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (subject, day)) STRICT, WITHOUT ROWID;
  CREATE TABLE slow_cursor (subject INTEGER PRIMARY KEY, run_id TEXT, id INTEGER, present INTEGER NOT NULL) STRICT;
  CREATE TABLE cost (subject INTEGER NOT NULL, day INTEGER NOT NULL, command TEXT NOT NULL, calls INTEGER NOT NULL,
    micros INTEGER NOT NULL, PRIMARY KEY (subject, day, command)) STRICT, WITHOUT ROWID;
  CREATE TABLE client (subject INTEGER NOT NULL, day INTEGER NOT NULL, address TEXT NOT NULL, name TEXT NOT NULL,
    user TEXT NOT NULL, most INTEGER NOT NULL, last_count INTEGER NOT NULL, last INTEGER NOT NULL,
    memory INTEGER NOT NULL, idle INTEGER NOT NULL,
    PRIMARY KEY (subject, day, address, name)) STRICT, WITHOUT ROWID;
  `,
  `
  -- The queues that the last search found, as JSON.
  CREATE TABLE queue (subject INTEGER PRIMARY KEY, found TEXT NOT NULL) STRICT;
  `,
];
