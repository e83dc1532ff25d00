-- Times are microseconds since 1970 in UTC; NULL is never. {{serial}} and {{bytes}} differ between the two databases.

CREATE TABLE audit (
    name       TEXT PRIMARY KEY,
    definition TEXT NOT NULL,          -- the audit as configured, in JSON
    next_run   BIGINT,                 -- NULL without a schedule
    removed_at BIGINT                  -- it is no longer configured; its history stays
);

CREATE TABLE run (
    id           TEXT PRIMARY KEY,     -- grows with time
    audit        TEXT NOT NULL REFERENCES audit (name),
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    cause        TEXT NOT NULL,        -- schedule, manual, direct, upload
    reason       TEXT NOT NULL DEFAULT '',
    attempt      BIGINT NOT NULL DEFAULT 0,
    worker       TEXT NOT NULL DEFAULT '',
    scheduled_at BIGINT,
    queued_at    BIGINT NOT NULL,
    started_at   BIGINT,
    heartbeat_at BIGINT,
    finished_at  BIGINT,
    complete     BIGINT NOT NULL DEFAULT 0,
    counts       TEXT NOT NULL DEFAULT '{}',
    head         {{bytes}},            -- run header and sources of the report, zstd over JSON
    body         TEXT,                 -- the rest of it, in document
    UNIQUE (audit, scheduled_at)       -- a schedule is not run twice
);
CREATE INDEX run_by_audit ON run (audit, queued_at);
CREATE INDEX run_unfinished ON run (state) WHERE state IN ('queued', 'running');
CREATE INDEX run_by_body ON run (body);

-- What reports hold beside their times, by its content: a target that does not change is stored once.
CREATE TABLE document (
    hash TEXT PRIMARY KEY,             -- SHA-256 over the JSON
    data {{bytes}} NOT NULL            -- zstd over JSON
);

CREATE TABLE target (
    id           {{serial}},
    audit        TEXT NOT NULL REFERENCES audit (name),
    identity     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    ref          TEXT NOT NULL,
    seen_at      BIGINT,               -- last scanned whole
    seen_run     TEXT,
    stale_at     BIGINT,
    stale_reason TEXT NOT NULL DEFAULT '',
    gone_at      BIGINT,
    UNIQUE (audit, identity)
);

-- Words of checks, which findings share.
CREATE TABLE promise (
    check_id TEXT PRIMARY KEY,
    title    TEXT NOT NULL,
    detail   TEXT NOT NULL             -- the check's rule in JSON: description, remediation, references
);

CREATE TABLE finding (
    id               {{serial}},
    target           BIGINT NOT NULL REFERENCES target (id),
    fingerprint      TEXT NOT NULL,
    check_id         TEXT NOT NULL REFERENCES promise (check_id),
    severity         BIGINT NOT NULL,
    kind             TEXT NOT NULL,
    resource         TEXT NOT NULL,
    key              TEXT NOT NULL,
    message          TEXT NOT NULL,
    copies           BIGINT NOT NULL,
    standing         TEXT NOT NULL CHECK (standing IN ('open', 'suppressed', 'fixed')),
    suppression      TEXT,             -- JSON
    suppressed_until BIGINT,           -- the end of a waiver
    first_seen       BIGINT NOT NULL,
    last_seen        BIGINT,           -- NULL: at the target's last scan
    last_run         TEXT NOT NULL,    -- whose report has its evidence
    fixed_at         BIGINT,
    reopened         BIGINT NOT NULL DEFAULT 0,
    UNIQUE (target, fingerprint)
);
-- The order of lists, so that a page is read and not sorted.
CREATE INDEX finding_standing ON finding (standing, severity DESC, id);
CREATE INDEX finding_severity ON finding (severity DESC, id);
-- All that the counts by check, and the mean time to fix, need.
CREATE INDEX finding_check ON finding (check_id, standing, target, copies);
CREATE INDEX finding_fixed ON finding (severity, first_seen, fixed_at) WHERE fixed_at IS NOT NULL;
CREATE INDEX finding_target ON finding (target, standing, severity);
CREATE INDEX finding_waiver_end ON finding (suppressed_until) WHERE suppressed_until IS NOT NULL;

CREATE TABLE change (
    id         {{serial}},
    finding    BIGINT NOT NULL REFERENCES finding (id),
    run        TEXT,
    at         BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    from_value TEXT NOT NULL DEFAULT '',
    to_value   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX change_by_finding ON change (finding, id);
CREATE INDEX change_by_run ON change (run);
CREATE INDEX change_by_time ON change (at);

-- Open findings of each target after each run, for the trend: only runs that changed something have rows.
CREATE TABLE tally (
    target   BIGINT NOT NULL REFERENCES target (id),
    at       BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (target, at, severity)
);

CREATE TABLE notification (
    key        TEXT PRIMARY KEY,       -- run and channel: what is sent once
    audit      TEXT NOT NULL,
    run        TEXT,
    channel    TEXT NOT NULL,
    body       TEXT NOT NULL,          -- what changed, in JSON; no secret
    queued_at  BIGINT NOT NULL,
    worker     TEXT NOT NULL DEFAULT '', -- who sends it now
    sending_at BIGINT,                 -- since when; NULL where nobody does
    sent_at    BIGINT,
    attempts   BIGINT NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX notification_unsent ON notification (queued_at) WHERE sent_at IS NULL;

CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,   -- SHA-256 of the secret, which is shown once
    role       TEXT NOT NULL,          -- viewer, operator, upload
    audit      TEXT NOT NULL DEFAULT '', -- upload: the one audit that it is for
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- Small things that all servers share.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value {{bytes}} NOT NULL
);
