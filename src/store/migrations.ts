// The shape of the three SQLite files, as the steps that lead there. A released step is never edited: add the next one.
// Step N (from 0) takes a file from `user_version` N to N + 1, in a transaction of its own.

/** Everything that decides: states, audit log, alerts to send, policies, used links, kept answers, named values. */
export const decisionMigrations: readonly string[] = [
  `
  CREATE TABLE rollout_state (
    rollout TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    saved_ms INTEGER NOT NULL,
    format INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    format INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (rollout, at_ms);

  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    rollout TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    format INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX outbox_by_due ON outbox (due_ms);

  CREATE TABLE policy_version (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX policy_by_fingerprint ON policy_version (fingerprint);

  CREATE TABLE used_token (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX used_token_by_expiry ON used_token (expires_ms);

  CREATE TABLE response (
    key TEXT PRIMARY KEY,
    expires_ms INTEGER NOT NULL,
    format INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX response_by_expiry ON response (expires_ms);

  CREATE TABLE named_value (key TEXT PRIMARY KEY, format INTEGER NOT NULL, json TEXT NOT NULL) STRICT;

  CREATE TABLE probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
  `,
  `
  ALTER TABLE outbox ADD COLUMN queue TEXT NOT NULL DEFAULT '';
  ALTER TABLE outbox ADD COLUMN is_aside INTEGER NOT NULL DEFAULT 0;
  UPDATE outbox SET queue = rollout || ' ' || coalesce(json_extract(json, '$.target'), '');
  CREATE INDEX outbox_by_queue ON outbox (queue, seq);
  `,
];

/** Figures over time; `width_ms` is a second, a minute or an hour, `lasts_ms` the time of the newest slice in it. */
export const historyMigrations: readonly string[] = [
  `
  CREATE TABLE figure (
    id INTEGER PRIMARY KEY,
    rollout TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    width_ms INTEGER NOT NULL,
    version TEXT NOT NULL,
    lasts_ms INTEGER NOT NULL,
    figures TEXT NOT NULL,
    UNIQUE (rollout, start_ms, width_ms, version)
  ) STRICT;
  CREATE INDEX figure_by_width ON figure (width_ms, start_ms);

  CREATE TABLE probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
  `,
];

/**
 * Experiments. `user` is a salted hash; `sums` are the doubles of a block, cell after cell, and `rests` what rounding has taken from
 * them, null of whole numbers; `cohort` and the like are as the rooms of the experiment count them. Tables `seen_DAY` of event ids come and go with the days (`seen-ids.ts`).
 */
export const experimentMigrations: readonly string[] = [
  `
  CREATE TABLE secret (id INTEGER PRIMARY KEY, salt BLOB NOT NULL) STRICT;
  INSERT INTO secret (id, salt) VALUES (1, randomblob(32));

  CREATE TABLE experiment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout TEXT NOT NULL,
    release TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    superseded_ms INTEGER,
    format INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE experiment_sum (
    experiment INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    version INTEGER NOT NULL,
    cohort INTEGER NOT NULL,
    sums BLOB NOT NULL,
    PRIMARY KEY (experiment, metric, phase, version, cohort)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE event_total (
    experiment INTEGER NOT NULL,
    event TEXT NOT NULL,
    version TEXT NOT NULL,
    count INTEGER NOT NULL,
    value_sum REAL NOT NULL,
    PRIMARY KEY (experiment, event, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE experiment_day (
    experiment INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (experiment, start_ms)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE user_record (
    experiment INTEGER NOT NULL,
    user BLOB NOT NULL,
    seen_hour INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (experiment, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE probe (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
  `,
  `
  ALTER TABLE experiment ADD COLUMN heard_ms INTEGER NOT NULL DEFAULT 0;
  UPDATE experiment SET heard_ms = coalesce(superseded_ms, unixepoch() * 1000);
  `,
  `
  ALTER TABLE event_total ADD COLUMN value_rest REAL NOT NULL DEFAULT 0;
  ALTER TABLE experiment_sum ADD COLUMN rests BLOB;
  UPDATE experiment_sum SET rests = zeroblob(length(sums)) WHERE metric >= 0 AND (
    SELECT json_extract(json, '$.metrics[' || max(metric, 0) || '].kind') FROM experiment WHERE id = experiment
  ) IN ('value', 'revenue');
  `,
];
