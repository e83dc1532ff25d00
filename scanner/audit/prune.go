package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Pruned is what a [Store.Prune] took away.
type Pruned struct {
	Runs      int `json:"runs"`
	Documents int `json:"documents"` // reports that no run has any more
}

// Prune removes the runs and reports that the audits' retention does not keep. The
// history of findings stays, and so does the last whole run of every target: its
// report holds the evidence of what is open.
func (s *Store) Prune(ctx context.Context, audits []Audit) (Pruned, error) {
	var out Pruned
	err := s.db.write(ctx, func(t tx) error {
		out = Pruned{}
		if s.db.words()["lock"] != "" {
			// A run that is being written may lean on a report that nobody else has: wait for
			// it, and keep others out. SQLite has one writer anyway.
			if _, err := t.exec(ctx, `LOCK TABLE document IN SHARE ROW EXCLUSIVE MODE`); err != nil {
				return err
			}
		}
		for i := range audits {
			n, err := s.pruneAudit(ctx, t, &audits[i])
			if err != nil {
				return err
			}
			out.Runs += n
		}
		if _, err := t.exec(ctx, `DELETE FROM notification WHERE sent_at < $1`, s.opts.Now().Add(-notificationLife).UnixMicro()); err != nil {
			return err
		}
		n, err := t.exec(ctx, `DELETE FROM document WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.body = document.hash)`)
		out.Documents = int(n)
		return err
	})
	return out, err
}

// notificationLife is how long a notification that was sent is kept.
const notificationLife = 90 * 24 * time.Hour

// pruneDaily prunes once a day, whichever server is first.
func (s *Store) pruneDaily(ctx context.Context) error {
	now := s.opts.Now()
	mine := false
	err := s.db.write(ctx, func(t tx) error {
		stamp := func(at time.Time) []byte { return fmt.Appendf(nil, "%020d", at.UnixMicro()) } // sorts as the time does
		n, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ('pruned', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE setting.value <= $2 OR setting.value > $1`, stamp(now), stamp(now.Add(-24*time.Hour)))
		mine = n == 1
		return err
	})
	if err != nil || !mine {
		return err
	}
	audits, err := s.configured(ctx)
	if err != nil {
		return err
	}
	p, err := s.Prune(ctx, audits)
	if err == nil && p != (Pruned{}) {
		s.opts.Log.Info("pruned", "runs", p.Runs, "documents", p.Documents)
	}
	return err
}

// configured are the audits that are configured now.
func (s *Store) configured(ctx context.Context) ([]Audit, error) {
	var out []Audit
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var text string
			if err := r.Scan(&text); err != nil {
				return err
			}
			out = append(out, Audit{})
			return json.Unmarshal([]byte(text), &out[len(out)-1])
		}, `SELECT definition FROM audit WHERE removed_at IS NULL ORDER BY name`)
	})
	return out, err
}

func (s *Store) pruneAudit(ctx context.Context, t tx, a *Audit) (int, error) {
	if a.Retention == (Retention{}) {
		return 0, nil
	}
	before := s.opts.Now()
	if a.Retention.Days > 0 {
		before = before.Add(-time.Duration(a.Retention.Days) * 24 * time.Hour)
	}
	n, err := t.exec(ctx, `DELETE FROM run WHERE audit = $1 AND state IN ('done', 'failed') AND queued_at < $2
		AND id NOT IN (SELECT id FROM run WHERE audit = $1 AND state IN ('done', 'failed') ORDER BY finished_at DESC, id DESC LIMIT $3)
		AND id NOT IN (SELECT seen_run FROM target WHERE audit = $1 AND seen_run IS NOT NULL)
		AND id NOT IN (SELECT f.last_run FROM finding f JOIN target t ON t.id = f.target WHERE t.audit = $1 AND f.standing <> 'fixed' AND f.last_seen IS NOT NULL)`,
		a.Name, before.UnixMicro(), a.Retention.Runs)
	return int(n), err
}
