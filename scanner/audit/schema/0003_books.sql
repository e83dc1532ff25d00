-- The time up to which the history of an audit is booked. Who books locks the row, so that one comes after the other.
CREATE TABLE book (
    audit TEXT PRIMARY KEY REFERENCES audit (name),
    at    BIGINT NOT NULL
);
INSERT INTO book (audit, at) SELECT audit, MAX(at) FROM (
    SELECT t.audit AS audit, y.at AS at FROM tally y JOIN target t ON t.id = y.target
    UNION ALL SELECT t.audit, c.at FROM change c JOIN finding f ON f.id = c.finding JOIN target t ON t.id = f.target
    UNION ALL SELECT audit, seen_at FROM target WHERE seen_at IS NOT NULL
) AS booked GROUP BY audit;

ALTER TABLE audit ADD COLUMN configured_at BIGINT;                     -- since when; NULL until it is configured again
ALTER TABLE target ADD COLUMN booked TEXT;                             -- hash of what was booked last; NULL where something changed since
ALTER TABLE notification ADD COLUMN unanswered BIGINT NOT NULL DEFAULT 0; -- times that nobody knows whether it arrived

-- The latest run of an audit is the one that ended last by its book: ids are given by clocks, and by who uploads.
DROP INDEX run_by_audit;
CREATE INDEX run_by_audit ON run (audit, finished_at);
CREATE INDEX run_by_end ON run ((COALESCE(finished_at, 9223372036854775807)), queued_at, id);
