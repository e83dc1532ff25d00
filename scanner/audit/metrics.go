package audit

import (
	"context"
	"fmt"
	"time"
)

// Gauges are the numbers that a monitoring system watches.
type Gauges struct {
	Audits []Gauge
	Queued map[string]int // runs, by state: queued, running
	Unsent int            // notifications
}

// Gauge is one audit.
type Gauge struct {
	Summary
	// LastDone is when its last whole run ended; zero if never.
	LastDone time.Time
	Stale    int // targets
}

// Gauges returns them.
func (s *Store) Gauges(ctx context.Context) (*Gauges, error) {
	o, err := s.Overview(ctx)
	if err != nil {
		return nil, err
	}
	g := &Gauges{Queued: map[string]int{string(Queued): 0, string(Running): 0}}
	stale := map[string]int{}
	for _, t := range o.Stale {
		stale[t.Audit]++
	}
	err = s.db.read(ctx, func(q querier) error {
		for _, a := range o.Audits {
			gauge := Gauge{Summary: a, Stale: stale[a.Name]}
			var done *int64
			if _, err := one(ctx, q, []any{&done}, `SELECT MAX(finished_at) FROM run WHERE audit = $1 AND state = 'done'`, a.Name); err != nil {
				return err
			}
			gauge.LastDone = moment(done)
			g.Audits = append(g.Audits, gauge)
		}
		err := each(ctx, q, func(r rows) error {
			var state string
			var n int
			if err := r.Scan(&state, &n); err != nil {
				return err
			}
			g.Queued[state] = n
			return nil
		}, `SELECT state, COUNT(*) FROM run WHERE state IN ('queued', 'running') GROUP BY state`)
		if err != nil {
			return err
		}
		_, err = one(ctx, q, []any{&g.Unsent}, `SELECT COUNT(*) FROM notification WHERE sent_at IS NULL`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the numbers for monitoring: %w", err)
	}
	return g, nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.db.read(ctx, func(q querier) error {
		var n int
		_, err := one(ctx, q, []any{&n}, `SELECT 1`)
		return err
	})
}
