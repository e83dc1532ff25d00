-- A search for a text, and the difference between two moments, are answered by an index also where there are millions of
-- findings. A line that begins with {{sqlite}} or {{postgres}} is for that database alone.

-- Which trigrams stand in a finding, not where: the text itself stands in the finding, and is compared there.
{{sqlite}} CREATE VIRTUAL TABLE finding_text USING fts5 (resource, message, check_id, content = 'finding', content_rowid = 'id', tokenize = 'trigram', detail = none, columnsize = 0);
{{sqlite}} INSERT INTO finding_text (finding_text) VALUES ('rebuild');
{{sqlite}} CREATE TRIGGER finding_text_insert AFTER INSERT ON finding BEGIN INSERT INTO finding_text (rowid, resource, message, check_id) VALUES (new.id, new.resource, new.message, new.check_id); END;
{{sqlite}} CREATE TRIGGER finding_text_delete AFTER DELETE ON finding BEGIN INSERT INTO finding_text (finding_text, rowid, resource, message, check_id) VALUES ('delete', old.id, old.resource, old.message, old.check_id); END;
{{sqlite}} CREATE TRIGGER finding_text_update AFTER UPDATE OF resource, message, check_id ON finding WHEN old.resource <> new.resource OR old.message <> new.message OR old.check_id <> new.check_id BEGIN INSERT INTO finding_text (finding_text, rowid, resource, message, check_id) VALUES ('delete', old.id, old.resource, old.message, old.check_id); INSERT INTO finding_text (rowid, resource, message, check_id) VALUES (new.id, new.resource, new.message, new.check_id); END;

-- PostgreSQL does it by an extension of its own, which not every server has and not every user may add. Without it a search
-- gives the same answer, and reads every finding.
{{postgres}} DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX finding_text ON finding USING gin (resource COLLATE "C" gin_trgm_ops, message COLLATE "C" gin_trgm_ops, check_id COLLATE "C" gin_trgm_ops); EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN RAISE NOTICE 'searches read every finding, for there is no extension pg_trgm: %', SQLERRM; END $$;

-- What changed in a span of time is asked for by its kind.
DROP INDEX change_by_time;
CREATE INDEX change_by_kind ON change (kind, at, id);
