package audit

import (
	"context"
	"encoding/json"
	"time"
)

// scheduleStep is how often the schedule is looked at. A minute is its unit.
const scheduleStep = 5 * time.Second

// keepSchedule does what is due until the context is done.
func (s *Store) keepSchedule(ctx context.Context) {
	go func() {
		tick := time.NewTicker(scheduleStep)
		defer tick.Stop()
		for {
			for what, do := range map[string]func(context.Context) error{"schedule": s.Due, "waivers": s.EndWaivers, "lost runs": s.Recover} {
				if err := do(ctx); err != nil && ctx.Err() == nil {
					s.opts.Log.Error("could not see to the "+what, "error", err.Error())
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// Due enqueues a run of every audit whose time has come, and moves its schedule on,
// in one transaction: two servers on one database do not run a schedule twice. An
// audit whose time came several times, for the machine slept, runs once. One that
// is still queued is not queued again.
func (s *Store) Due(ctx context.Context) error {
	return s.db.write(ctx, func(t tx) error {
		type due struct {
			audit Audit
			at    time.Time
		}
		var all []due
		now := s.opts.Now()
		skip := ""
		if s.db.words()["lock"] != "" {
			skip = " FOR UPDATE SKIP LOCKED"
		}
		err := each(ctx, t, func(r rows) error {
			var text string
			var at *int64
			if err := r.Scan(&text, &at); err != nil {
				return err
			}
			d := due{at: moment(at)}
			all = append(all, d)
			return json.Unmarshal([]byte(text), &all[len(all)-1].audit)
		}, `SELECT definition, next_run FROM audit WHERE removed_at IS NULL AND next_run <= $1 ORDER BY next_run, name`+skip, now.UnixMicro())
		if err != nil {
			return err
		}
		for i := range all {
			if err := s.schedule(ctx, t, &all[i].audit, all[i].at, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) schedule(ctx context.Context, t tx, a *Audit, at, now time.Time) error {
	next, err := a.next(now)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE audit SET next_run = $2 WHERE name = $1`, a.Name, micros(next)); err != nil {
		return err
	}
	var waiting int
	if _, err := one(ctx, t, []any{&waiting}, `SELECT COUNT(*) FROM run WHERE audit = $1 AND state = 'queued'`, a.Name); err != nil || waiting > 0 {
		return err
	}
	_, err = s.enqueue(ctx, t, a, CauseSchedule, at)
	return err
}

// EndWaivers opens findings again whose waiver has ended.
func (s *Store) EndWaivers(ctx context.Context) error {
	return s.db.write(ctx, func(t tx) error {
		now := s.now()
		if _, err := t.exec(ctx, `INSERT INTO change (finding, at, kind, from_value, to_value)
			SELECT id, suppressed_until, 'unsuppressed', 'suppressed', 'open' FROM finding WHERE standing = 'suppressed' AND suppressed_until <= $1`, now); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE finding SET standing = 'open', suppression = NULL, suppressed_until = NULL WHERE standing = 'suppressed' AND suppressed_until <= $1`, now)
		return err
	})
}
