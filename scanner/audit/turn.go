package audit

import (
	"context"
	"time"
)

// turnEvery is how often a run that waits looks whether its turn has come.
const turnEvery = 300 * time.Millisecond

// Turn waits until no direct run of the same audit goes on that began before this
// one: several that are started at once would look at the same things beside each
// other, and end in any order. A run whose process is gone holds up nobody. waits is
// called once where it has to wait. Call it within [Store.Scan], which shows that
// the run is alive.
func (s *Store) Turn(ctx context.Context, run *Run, waits func()) error {
	for first := true; ; first = false {
		if err := s.Recover(ctx); err != nil {
			return err
		}
		before := 0
		err := s.db.read(ctx, func(q querier) error {
			_, err := one(ctx, q, []any{&before}, `SELECT COUNT(*) FROM run WHERE audit = $1 AND cause = $2 AND state = 'running' AND id < $3`, run.Audit, CauseDirect, run.ID) // ids go up with time
			return err
		})
		if err != nil || before == 0 {
			return err
		}
		if first {
			waits()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(turnEvery):
		}
	}
}
