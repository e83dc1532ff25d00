package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/postscan/postscan/scanner"
)

// Causes of a run.
const (
	CauseSchedule = "schedule"
	CauseManual   = "manual" // somebody asked the queue for it
	CauseDirect   = "direct" // somebody ran it by hand, and sees how it ends
	CauseUpload   = "upload"
)

// Enqueue asks for a run of the audit by whichever worker is free, and returns its
// id; that of the run that waits already, where there is one.
func (s *Store) Enqueue(ctx context.Context, name string) (string, error) {
	var id string
	err := s.db.write(ctx, func(t tx) (err error) {
		a, err := s.lockAudit(ctx, t, name)
		switch {
		case err != nil:
			return err
		case a.Target.Upload != nil:
			return fmt.Errorf("the audit %q is not scanned here: its reports are uploaded", name)
		}
		found, err := one(ctx, t, []any{&id}, `SELECT id FROM run WHERE audit = $1 AND state = 'queued' ORDER BY id LIMIT 1`, name)
		if err != nil || found {
			return err // it waits already
		}
		id, err = s.enqueue(ctx, t, a, CauseManual, time.Time{})
		return err
	})
	return id, err
}

// enqueue writes the run and its job.
func (s *Store) enqueue(ctx context.Context, t tx, a *Audit, cause string, scheduled time.Time) (string, error) {
	id, err := newID()
	if err != nil {
		return "", err
	}
	n, err := t.exec(ctx, `INSERT INTO run (id, audit, state, cause, scheduled_at, queued_at) VALUES ($1, $2, 'queued', $3, $4, $5)
		ON CONFLICT (audit, scheduled_at) DO NOTHING`, id, a.Name, cause, micros(scheduled), s.now())
	if err != nil || n == 0 {
		return "", err
	}
	return id, t.enqueue(ctx, scanJob{Run: id}, scanOptions(a))
}

// Begin starts a run here and now, without the queue.
func (s *Store) Begin(ctx context.Context, name, cause string) (*Run, error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	err = s.db.write(ctx, func(t tx) error {
		if _, err := readAudit(ctx, t, name); err != nil {
			return err
		}
		now := s.now()
		_, err := t.exec(ctx, `INSERT INTO run (id, audit, state, cause, attempt, worker, queued_at, started_at, heartbeat_at)
			VALUES ($1, $2, 'running', $3, 1, $4, $5, $5, $5)`, id, name, cause, s.worker, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Run(ctx, id)
}

// Upload stores a report that was made elsewhere as a run of the audit, whole or not
// at all. id is the uploader's name for it: the same report sent twice is stored once.
func (s *Store) Upload(ctx context.Context, name, id string, rep *scanner.Report) (*Run, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("%w: its id %q is no UUID", ErrUpload, id)
	}
	run := parsed.String()
	doc, err := s.document(rep)
	if err != nil {
		return nil, fmt.Errorf("store the upload %s: %w", run, err)
	}
	err = s.db.write(ctx, func(t tx) error {
		a, err := readAudit(ctx, t, name)
		switch {
		case err != nil:
			return err
		case a.Target.Upload == nil:
			return fmt.Errorf("%w: the target of the audit %q is %s, not upload", ErrUpload, name, a.Target.Kind())
		}
		n, err := t.exec(ctx, `INSERT INTO run (id, audit, state, cause, attempt, worker, queued_at, started_at, heartbeat_at)
			VALUES ($1, $2, 'running', $3, 1, $4, $5, $5, $5) ON CONFLICT (id) DO NOTHING`, run, name, CauseUpload, s.worker, s.now())
		if err != nil || n == 0 {
			return err // it came before
		}
		return s.write(ctx, t, run, rep, doc)
	})
	switch {
	case errors.Is(err, errReport):
		return nil, fmt.Errorf("%w: %w", ErrUpload, err)
	case err != nil:
		return nil, fmt.Errorf("store the upload %s: %w", run, err)
	}
	stored, err := s.Run(ctx, run)
	if err == nil && stored.Audit != name {
		return nil, fmt.Errorf("%w: another audit has its id", ErrUpload)
	}
	return stored, err
}

// claim takes a queued run for this worker. ok is false where somebody else has it
// or it has ended.
func (s *Store) claim(ctx context.Context, id string) (ok bool, err error) {
	now := s.now()
	err = s.db.write(ctx, func(t tx) error {
		n, err := t.exec(ctx, `UPDATE run SET state = 'running', attempt = attempt + 1, worker = $2, started_at = $3, heartbeat_at = $3, reason = ''
			WHERE id = $1 AND state = 'queued'`, id, s.worker, now)
		ok = n == 1
		return err
	})
	if err == nil {
		return ok, nil
	}
	// Whether it was taken is not known, and nobody works at it.
	back := s.insist(ctx, func(t tx) error {
		_, err := t.exec(ctx, `UPDATE run SET state = 'queued', attempt = attempt - 1, worker = '' WHERE id = $1 AND state = 'running' AND worker = $2 AND started_at = $3`, id, s.worker, now)
		return err
	})
	return false, errors.Join(err, back)
}

// beat says that the run goes on. It returns [ErrLost] where it is not ours any more.
func (s *Store) beat(ctx context.Context, id string) error {
	return s.db.write(ctx, func(t tx) error {
		n, err := t.exec(ctx, `UPDATE run SET heartbeat_at = $3 WHERE id = $1 AND state = 'running' AND worker = $2`, id, s.worker, s.now())
		if err == nil && n == 0 {
			return ErrLost
		}
		return err
	})
}

// keepAlive beats until stop is called. The returned context ends when the run is
// lost: a second worker must not go on with it.
func (s *Store) keepAlive(ctx context.Context, id string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(s.opts.Lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			switch err := s.beat(ctx, id); {
			case errors.Is(err, ErrLost):
				cancel(err)
				return
			case err != nil && ctx.Err() == nil:
				s.opts.Log.Warn("the heartbeat of a run could not be written", "run", id, "error", err.Error())
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// Fail ends a run of this worker that could not be done.
func (s *Store) Fail(ctx context.Context, id string, reason error) error {
	return s.db.write(ctx, func(t tx) error { return s.fail(ctx, t, id, reason) })
}

func (s *Store) fail(ctx context.Context, t tx, id string, reason error) error {
	var audit string
	found, err := one(ctx, t, []any{&audit}, `UPDATE run SET state = 'failed', reason = $3 WHERE id = $1 AND state = 'running' AND worker = $2 RETURNING audit`, id, s.worker, reason.Error())
	switch {
	case err != nil:
		return fmt.Errorf("mark the run %s as failed: %w", id, err)
	case !found:
		return fmt.Errorf("mark the run %s as failed: %w", id, ErrLost)
	}
	return s.failed(ctx, t, id, audit, reason.Error())
}

// failed books the end of a run that failed, and marks every target of its audit:
// none of them was scanned.
func (s *Store) failed(ctx context.Context, t tx, run, audit, reason string) error {
	at, err := s.book(ctx, t, audit)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE run SET finished_at = $2 WHERE id = $1`, run, at); err != nil {
		return err
	}
	n, err := t.exec(ctx, `UPDATE target SET stale_at = COALESCE(stale_at, $2), stale_reason = $3 WHERE gone_at IS NULL AND audit = $1`, audit, at, reason)
	if err != nil || n > 0 {
		return err
	}
	return standIn(ctx, t, audit, at, reason)
}

// standIn marks as stale what nobody has seen yet. It stands for the targets of an
// audit of which none is known, and has no identity; it goes with the first report.
func standIn(ctx context.Context, t tx, audit string, at int64, reason string) error {
	a, err := readAudit(ctx, t, audit)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO target (audit, identity, kind, ref, stale_at, stale_reason) VALUES ($1, '', $2, $1, $3, $4)
		ON CONFLICT (audit, identity) DO UPDATE SET kind = excluded.kind, stale_at = excluded.stale_at, stale_reason = excluded.stale_reason, gone_at = NULL`, audit, a.Target.Kind(), at, reason)
	return err
}

// Recover deals with runs whose worker is gone: it was killed, or its machine was.
// What came from the queue is queued again, up to the number of attempts; what a
// person started, and what was tried too often, is failed with the reason.
func (s *Store) Recover(ctx context.Context) error {
	return s.db.write(ctx, func(t tx) error {
		type lost struct {
			id, audit, cause, worker string
			attempt                  int
			beat                     int64
		}
		var all []lost
		err := each(ctx, t, func(r rows) error {
			var l lost
			if err := r.Scan(&l.id, &l.audit, &l.cause, &l.worker, &l.attempt, &l.beat); err != nil {
				return err
			}
			all = append(all, l)
			return nil
		}, `SELECT id, audit, cause, worker, attempt, heartbeat_at FROM run WHERE state = 'running' ORDER BY id `+s.db.words()["skip"]) // who holds one ends it, or begins it
		if err != nil {
			return err
		}
		look := s.signs.look(s.opts.Now())
		for _, l := range all {
			reason := look.gone("run "+l.id, l.worker, l.beat, s.opts.Lease)
			if reason == "" {
				continue
			}
			if err := s.recover(ctx, t, l.id, l.audit, l.cause, l.attempt, reason); err != nil {
				return fmt.Errorf("recover the run %s: %w", l.id, err)
			}
		}
		if err := s.requeue(ctx, t); err != nil {
			return err
		}
		if err := s.recoverNotifications(ctx, t, look); err != nil {
			return fmt.Errorf("recover notifications: %w", err)
		}
		return forgetJobs(ctx, t)
	})
}

// waitingJob is a job that River has yet to give to a worker.
const waitingJob = `state IN ('available', 'pending', 'retryable', 'scheduled')`

// requeue gives a new job to what waits without one: its worker was killed after
// River gave it the job, and before it took the run or the notification. Where the
// worker lives and is about to take it, the second job finds nothing to do.
func (s *Store) requeue(ctx context.Context, t tx) error {
	type lost struct {
		id  string
		job river.JobArgs
		o   *river.InsertOpts
	}
	var all []lost
	err := each(ctx, t, func(r rows) error {
		var id, text string
		if err := r.Scan(&id, &text); err != nil {
			return err
		}
		var a Audit
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return err
		}
		all = append(all, lost{id, scanJob{Run: id}, scanOptions(&a)})
		return nil
	}, `SELECT r.id, a.definition FROM run r JOIN audit a ON a.name = r.audit WHERE r.state = 'queued'
		AND NOT EXISTS (SELECT 1 FROM river_job WHERE kind = 'scan' AND `+waitingJob+` AND args ->> 'run' = r.id) ORDER BY r.id`)
	if err != nil {
		return fmt.Errorf("find queued runs without a job: %w", err)
	}
	err = each(ctx, t, func(r rows) error {
		var key string
		err := r.Scan(&key)
		all = append(all, lost{key, notifyJob{Key: key}, notifyOptions()})
		return err
	}, `SELECT n.key FROM notification n WHERE n.sent_at IS NULL AND n.sending_at IS NULL AND n.attempts < $1
		AND NOT EXISTS (SELECT 1 FROM river_job WHERE kind = 'notify' AND (`+waitingJob+` OR state = 'discarded') AND args ->> 'key' = n.key) ORDER BY n.key`, notifyAttempts)
	if err != nil {
		return fmt.Errorf("find notifications without a job: %w", err)
	}
	for _, l := range all {
		if err := t.enqueue(ctx, l.job, l.o); err != nil {
			return fmt.Errorf("queue %s again: %w", l.id, err)
		}
	}
	return nil
}

// scanOptions let the queue give a run to a worker as often as it takes; how often
// it is tried is up to the run, see [Options].
func scanOptions(a *Audit) *river.InsertOpts {
	return &river.InsertOpts{Queue: a.Target.Kind(), MaxAttempts: 1000}
}

// forgetJobs removes the jobs of killed workers whose work is done. River counts
// them as running for ever: it rescues no job without a time-out, as scans are. A
// new job stands in for each of them, see [Store.recover].
func forgetJobs(ctx context.Context, t tx) error {
	_, err := t.exec(ctx, `DELETE FROM river_job WHERE state = 'running' AND (
		kind = 'scan' AND EXISTS (SELECT 1 FROM run WHERE run.id = args ->> 'run' AND run.state IN ('done', 'failed'))
		OR kind = 'notify' AND EXISTS (SELECT 1 FROM notification n WHERE n.key = args ->> 'key' AND n.sent_at IS NOT NULL))`)
	return err
}

func (s *Store) recover(ctx context.Context, t tx, id, name, cause string, attempt int, reason string) error {
	if cause != CauseDirect && cause != CauseUpload && attempt < s.opts.Attempts {
		a, err := readAudit(ctx, t, name)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE run SET state = 'queued', worker = '', reason = $2 WHERE id = $1`, id, reason); err != nil {
			return err
		}
		return t.enqueue(ctx, scanJob{Run: id}, scanOptions(a))
	}
	if _, err := t.exec(ctx, `UPDATE run SET state = 'failed', reason = $2 WHERE id = $1`, id, reason); err != nil {
		return err
	}
	return s.failed(ctx, t, id, name, reason)
}

const runColumns = `id, audit, state, cause, reason, attempt, worker, scheduled_at, queued_at, started_at, finished_at, complete, counts`

func scanRun(r rows) (Run, error) {
	var run Run
	var scheduled, queued, started, finished *int64
	var complete int
	var counts string
	if err := r.Scan(&run.ID, &run.Audit, &run.State, &run.Trigger, &run.Reason, &run.Attempt, &run.Worker, &scheduled, &queued, &started, &finished, &complete, &counts); err != nil {
		return run, err
	}
	run.Scheduled, run.Queued, run.Started, run.Finished = moment(scheduled), moment(queued), moment(started), moment(finished)
	run.Complete = complete != 0
	return run, json.Unmarshal([]byte(counts), &run.Counts)
}

// Run returns the run, or [ErrNoRun].
func (s *Store) Run(ctx context.Context, id string) (*Run, error) {
	var run *Run
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			found, err := scanRun(r)
			run = &found
			return err
		}, `SELECT `+runColumns+` FROM run WHERE id = $1`, id)
	})
	if err == nil && run == nil {
		err = fmt.Errorf("%w %q", ErrNoRun, id)
	}
	return run, err
}

// lastEnd orders runs by their end; one that has not ended comes after all that have.
const lastEnd = `COALESCE(finished_at, 9223372036854775807), queued_at, id`

// Runs returns runs, the latest first: what has not ended, and then by its end; of
// one audit, or of all where name is empty; at most limit, all where it is 0; only
// those before the run of that id where before is not empty.
func (s *Store) Runs(ctx context.Context, name, before string, limit int) ([]Run, error) {
	where, args := ` WHERE ($1 = '' OR audit = $1)`, []any{name}
	if before != "" {
		where, args = where+` AND (`+lastEnd+`) < (SELECT `+lastEnd+` FROM run WHERE id = $2)`, append(args, before)
	}
	tail := ` ORDER BY COALESCE(finished_at, 9223372036854775807) DESC, queued_at DESC, id DESC`
	if limit > 0 {
		tail += fmt.Sprintf(` LIMIT %d`, limit)
	}
	out := []Run{}
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			run, err := scanRun(r)
			out = append(out, run)
			return err
		}, `SELECT `+runColumns+` FROM run`+where+tail, args...)
	})
	return out, err
}

func readAudit(ctx context.Context, q querier, name string) (*Audit, error) {
	return readAuditBy(ctx, q, name, "")
}

// lockAudit reads the audit and keeps others from queueing a run of it until the
// transaction ends: at most one run of an audit waits, which bounds the queue.
func (s *Store) lockAudit(ctx context.Context, t tx, name string) (*Audit, error) {
	return readAuditBy(ctx, t, name, s.db.words()["lock"])
}

func readAuditBy(ctx context.Context, q querier, name, lock string) (*Audit, error) {
	var text string
	found, err := one(ctx, q, []any{&text}, `SELECT definition FROM audit WHERE name = $1 `+lock, name)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("%w %q", ErrNoAudit, name)
	}
	var a Audit
	return &a, json.Unmarshal([]byte(text), &a)
}
