/** Who is told of what: alerts and what was told of them, what waits to be sent, and who wants to hear nothing. */
export const alertTables = `
  CREATE TABLE alerts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    instance    TEXT NOT NULL,
    rule        TEXT NOT NULL,
    resource    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'firing', 'recovering', 'resolved')),
    resolved_at INTEGER,
    settled_at  INTEGER,
    body        TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX alerts_open ON alerts (instance, rule, resource) WHERE state != 'resolved';
  CREATE INDEX alerts_unsettled ON alerts (id) WHERE settled_at IS NULL;
  CREATE INDEX alerts_by_end ON alerts (instance, resolved_at) WHERE state = 'resolved';
  CREATE INDEX alerts_by_settling ON alerts (settled_at);
  CREATE TABLE alert_groups (
    channel     TEXT NOT NULL,
    instance    TEXT NOT NULL,
    thread      TEXT NOT NULL,
    title       TEXT NOT NULL,
    last_at     INTEGER NOT NULL,
    reference   TEXT,
    PRIMARY KEY (channel, instance)
  ) STRICT;
  CREATE TABLE silences (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    match       TEXT NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    author      TEXT NOT NULL,
    why         TEXT NOT NULL
  ) STRICT;
  CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel     TEXT NOT NULL,
    thread      TEXT NOT NULL,
    notice      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER NOT NULL,
    outcome     TEXT CHECK (outcome IN ('sent', 'merged', 'given-up')),
    done_at     INTEGER,
    answer      TEXT
  ) STRICT;
  CREATE INDEX outbox_waiting ON outbox (channel, id) WHERE outcome IS NULL;
  CREATE INDEX outbox_done ON outbox (done_at);
  CREATE TABLE alert_channels (
    name          TEXT PRIMARY KEY,
    failing_since INTEGER,
    disabled      INTEGER NOT NULL DEFAULT 0,
    problem       TEXT,
    remedy        TEXT,
    sent_at       INTEGER
  ) STRICT;
  CREATE TABLE alert_marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  -- What is open already has been so since it was first seen.
  INSERT INTO alerts (instance, rule, resource, state, body)
    SELECT instance, rule, resource, 'firing', json_object(
      'instance', instance, 'rule', rule, 'resource', resource, 'severity', severity, 'summary', summary,
      'remedy', remedy, 'evidence', json(evidence), 'state', 'firing', 'since', first_seen, 'seen_at', last_seen,
      'fired_at', first_seen, 'cleared_at', NULL, 'resolved_at', NULL, 'resolution', NULL, 'unknown_since', NULL,
      'flips', json('[]'), 'flapping_since', NULL, 'ack', NULL, 'told', json('[]'), 'settled_at', NULL)
    FROM episodes WHERE closed_at IS NULL ORDER BY first_seen;
  `;
