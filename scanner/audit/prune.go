package audit

import (
	"context"
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
		for i := range audits {
			n, err := s.pruneAudit(ctx, t, &audits[i])
			if err != nil {
				return err
			}
			out.Runs += n
		}
		n, err := t.exec(ctx, `DELETE FROM document WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.body = document.hash)`)
		out.Documents = int(n)
		return err
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
		AND id NOT IN (SELECT id FROM run WHERE audit = $1 AND state IN ('done', 'failed') ORDER BY id DESC LIMIT $3)
		AND id NOT IN (SELECT seen_run FROM target WHERE audit = $1 AND seen_run IS NOT NULL)
		AND id NOT IN (SELECT f.last_run FROM finding f JOIN target t ON t.id = f.target WHERE t.audit = $1 AND f.standing <> 'fixed' AND f.last_seen IS NOT NULL)`,
		a.Name, before.UnixMicro(), a.Retention.Runs)
	return int(n), err
}
