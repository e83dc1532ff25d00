package audit

import (
	"context"
	"encoding/json"
	"fmt"
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
			for _, step := range []struct {
				what string
				do   func(context.Context) error
			}{{"lost runs", s.Recover}, {"schedule", s.Due}, {"waivers", s.EndWaivers}, {"uploads", s.StaleUploads}, {"retention", s.pruneDaily}} {
				if err := step.do(ctx); err != nil && ctx.Err() == nil {
					s.opts.Log.Error("a step of the schedule failed", "step", step.what, "error", err.Error())
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
//
// A clock that is put forward makes due what lies between, once. One that is put
// back leaves next runs too far away: they are brought nearer. What ran already for
// one of the next [setBack] hours is not run again, for a run is known by the time of
// its schedule. What ran for a later time did so because the clock was ahead, and
// runs again when that time comes.
func (s *Store) Due(ctx context.Context) error {
	if err := s.nearer(ctx); err != nil {
		return err
	}
	return s.db.write(ctx, func(t tx) error {
		type due struct {
			audit Audit
			at    time.Time
		}
		var all []due
		now := s.opts.Now()
		err := each(ctx, t, func(r rows) error {
			var text string
			var at *int64
			if err := r.Scan(&text, &at); err != nil {
				return err
			}
			d := due{at: moment(at)}
			all = append(all, d)
			return json.Unmarshal([]byte(text), &all[len(all)-1].audit)
		}, `SELECT definition, next_run FROM audit WHERE removed_at IS NULL AND next_run <= $1 ORDER BY next_run, name `+s.db.words()["skip"], now.UnixMicro())
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

// setBack is the most by which a clock that was right is put back; cron draws the
// same line. One that is put back by more was ahead before.
const setBack = 3 * time.Hour

// nearer brings next runs back that are further away than the schedule says.
func (s *Store) nearer(ctx context.Context) error {
	now := s.opts.Now()
	far := map[string]*int64{}
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var name, text string
			var at int64
			if err := r.Scan(&name, &text, &at); err != nil {
				return err
			}
			var a Audit
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				return err
			}
			next, err := a.next(now)
			if err == nil && !next.IsZero() && next.UnixMicro() < at {
				far[name] = micros(next)
			}
			return err
		}, `SELECT name, definition, next_run FROM audit WHERE removed_at IS NULL AND next_run > $1`, now.UnixMicro())
	})
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(far) {
		err := s.db.write(ctx, func(t tx) error {
			if _, err := t.exec(ctx, `UPDATE audit SET next_run = $2 WHERE name = $1 AND next_run > $2`, name, far[name]); err != nil {
				return err
			}
			_, err := t.exec(ctx, `UPDATE run SET scheduled_at = NULL WHERE audit = $1 AND scheduled_at > $2`, name, now.Add(setBack).UnixMicro())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
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

// EndWaivers opens findings again whose waiver has ended, and tells the channels of
// their audits.
func (s *Store) EndWaivers(ctx context.Context) error {
	now := s.now()
	var audits []string
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var name string
			err := r.Scan(&name)
			audits = append(audits, name)
			return err
		}, `SELECT DISTINCT t.audit FROM finding f JOIN target t ON t.id = f.target WHERE f.standing = 'suppressed' AND f.suppressed_until <= $1 ORDER BY t.audit`, now)
	})
	if err != nil {
		return err
	}
	for _, name := range audits {
		if err := s.endWaivers(ctx, name, now); err != nil {
			return fmt.Errorf("end waivers of the audit %q: %w", name, err)
		}
	}
	return nil
}

// endWaivers does it for one audit. What a run that ends meanwhile books comes
// before or after it, whole.
func (s *Store) endWaivers(ctx context.Context, name string, now int64) error {
	return s.db.write(ctx, func(t tx) error {
		at, err := s.book(ctx, t, name)
		if err != nil {
			return err
		}
		r := &recording{tx: t, audit: name, at: at}
		type ended struct {
			id  int64
			ref string
		}
		var targets []ended
		err = each(ctx, t, func(rs rows) error {
			var e ended
			err := rs.Scan(&e.id, &e.ref)
			targets = append(targets, e)
			return err
		}, `SELECT id, ref FROM target WHERE audit = $1 AND id IN (SELECT target FROM finding WHERE standing = 'suppressed' AND suppressed_until <= $2) ORDER BY identity`, name, now)
		if err != nil {
			return err
		}
		for _, e := range targets {
			if err := r.endWaivers(ctx, e.id, e.ref, now); err != nil {
				return err
			}
		}
		return s.notifyChanges(ctx, t, r)
	})
}

// endWaivers opens the findings of one target whose waiver has ended: at the time
// at which it ended, or that of what the history says last of the finding.
func (r *recording) endWaivers(ctx context.Context, target int64, ref string, now int64) error {
	type opened struct {
		id, at int64
		note   note
	}
	var all []opened
	err := each(ctx, r.tx, func(rs rows) error {
		o := opened{note: note{kind: ChangeReopened, target: ref}}
		err := rs.Scan(&o.id, &o.at, &o.note.severity, &o.note.check, &o.note.title, &o.note.resource, &o.note.message)
		all = append(all, o)
		return err
	}, `SELECT f.id, (SELECT MAX(CASE WHEN c.at > f.suppressed_until THEN c.at ELSE f.suppressed_until END) FROM change c WHERE c.finding = f.id), f.severity, f.check_id, p.title, f.resource, f.message
		FROM finding f JOIN promise p ON p.check_id = f.check_id WHERE f.target = $1 AND f.standing = 'suppressed' AND f.suppressed_until <= $2 ORDER BY f.id`, target, now)
	if err != nil {
		return err
	}
	if _, err := r.tx.exec(ctx, `UPDATE target SET booked = NULL WHERE id = $1`, target); err != nil {
		return err
	}
	for _, o := range all {
		if _, err := r.tx.exec(ctx, `INSERT INTO change (finding, at, kind, from_value, to_value) VALUES ($1, $2, 'unsuppressed', 'suppressed', 'open')`, o.id, o.at); err != nil {
			return err
		}
		if _, err := r.tx.exec(ctx, `UPDATE finding SET standing = 'open', suppression = NULL, suppressed_until = NULL WHERE id = $1`, o.id); err != nil {
			return err
		}
		r.counts.Reopened++
		r.notes = append(r.notes, o.note)
	}
	return r.tally(ctx, target)
}

// StaleUploads marks targets of audits whose reports are uploaded, and of which none
// came for as long as the audit says; also where none ever came.
func (s *Store) StaleUploads(ctx context.Context) error {
	audits, err := s.configured(ctx)
	if err != nil {
		return err
	}
	for i := range audits {
		a := &audits[i]
		if a.Target.Upload == nil || a.Target.Upload.Every == 0 {
			continue
		}
		err := s.db.write(ctx, func(t tx) error { return s.staleUploads(ctx, t, a.Name, time.Duration(a.Target.Upload.Every)) })
		if err != nil {
			return fmt.Errorf("look for reports of the audit %q: %w", a.Name, err)
		}
	}
	return nil
}

func (s *Store) staleUploads(ctx context.Context, t tx, audit string, every time.Duration) error {
	// A report that comes now is booked before, or after.
	if err := each(ctx, t, func(rows) error { return nil }, `SELECT at FROM book WHERE audit = $1 `+s.db.words()["lock"], audit); err != nil {
		return err
	}
	now := s.now()
	// What was seen at a time that has yet to come was seen by a clock that was ahead: it counts from now.
	if _, err := t.exec(ctx, `UPDATE target SET seen_at = $2 WHERE audit = $1 AND seen_at > $2`, audit, now); err != nil {
		return err
	}
	reason := fmt.Sprintf("no report was uploaded for %s", every)
	_, err := t.exec(ctx, `UPDATE target SET stale_at = seen_at + $2, stale_reason = $3 WHERE audit = $1 AND gone_at IS NULL AND stale_at IS NULL AND seen_at < $4`,
		audit, every.Microseconds(), reason, now-every.Microseconds())
	if err != nil {
		return err
	}
	var since *int64
	_, err = one(ctx, t, []any{&since}, `SELECT MAX(at) FROM (SELECT configured_at AS at FROM audit WHERE name = $1 UNION ALL SELECT finished_at FROM run WHERE audit = $1 AND state = 'done' AND finished_at <= $2) AS heard
		WHERE NOT EXISTS (SELECT 1 FROM target WHERE audit = $1 AND gone_at IS NULL)`, audit, now)
	if err != nil || since == nil || *since >= now-every.Microseconds() {
		return err
	}
	return standIn(ctx, t, audit, *since+every.Microseconds(), reason)
}
