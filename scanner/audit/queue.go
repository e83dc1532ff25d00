package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"

	"github.com/postscan/postscan/scanner"
)

// Scan runs one audit and returns its report. A report beside an error is what was
// seen until the scan was broken off.
type Scan func(ctx context.Context, a *Audit) (*scanner.Report, error)

// scanJob is the job of one run.
type scanJob struct {
	Run string `json:"run"`
}

// Kind implements [river.JobArgs].
func (scanJob) Kind() string { return "scan" }

// notifyJob is the job of one notification.
type notifyJob struct {
	Key string `json:"key"`
}

// Kind implements [river.JobArgs].
func (notifyJob) Kind() string { return "notify" }

// notifyQueue is the queue of notifications; the others are called by the kinds of targets.
const notifyQueue = "notify"

// WorkOptions say how much one worker does.
type WorkOptions struct {
	Scan Scan
	// Send delivers a notification.
	Send func(ctx context.Context, n *Notification) error
	// Parallel is how many scans go on at once, by the kind of target; 1 where it says nothing.
	Parallel map[string]int
	// Schedule also keeps the schedule, ends waivers and recovers lost runs.
	Schedule bool
	// Drain is how long running scans may take once the worker is to end; they are
	// queued again after it.
	Drain time.Duration
	Log   *slog.Logger
}

// timeouts bound a run of an audit that says nothing, by the kind of target.
var timeouts = map[string]time.Duration{
	"image": time.Hour, "registry": 6 * time.Hour, "cluster": 2 * time.Hour, "manifests": time.Hour, "vm": time.Hour, "engine": 6 * time.Hour,
}

func (a *Audit) timeout() time.Duration {
	if a.Timeout > 0 {
		return time.Duration(a.Timeout)
	}
	return timeouts[a.Target.Kind()]
}

// Work works the queue until the context is done, then lets running scans end.
func (s *Store) Work(ctx context.Context, o WorkOptions) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &scanWorker{store: s, opts: o})
	river.AddWorker(workers, &notifyWorker{store: s, opts: o})
	queues := map[string]river.QueueConfig{notifyQueue: {MaxWorkers: 2}}
	for _, kind := range Kinds() {
		queues[kind] = river.QueueConfig{MaxWorkers: max(1, o.Parallel[kind])}
	}
	if err := s.Recover(ctx); err != nil {
		return fmt.Errorf("recover lost runs: %w", err)
	}
	w, err := s.db.work(context.WithoutCancel(ctx), &river.Config{
		Queues: queues, Workers: workers, Logger: o.Log,
		JobTimeout:                  -1, // every audit has its own
		RescueStuckJobsAfter:        time.Hour,
		CompletedJobRetentionPeriod: time.Hour,
		FetchPollInterval:           500 * time.Millisecond,
		FetchCooldown:               50 * time.Millisecond,
	})
	if err != nil {
		return fmt.Errorf("start to work the queue: %w", err)
	}
	if o.Schedule {
		s.keepSchedule(ctx)
	}
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
	defer cancel()
	if err := w.Stop(drain); err == nil {
		return nil
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := w.StopAndCancel(end); err != nil {
		return fmt.Errorf("stop to work the queue: %w", err)
	}
	return nil
}

type scanWorker struct {
	river.WorkerDefaults[scanJob]
	store *Store
	opts  WorkOptions
}

// Work implements [river.Worker].
func (w *scanWorker) Work(ctx context.Context, job *river.Job[scanJob]) error {
	s, id := w.store, job.Args.Run
	claimed, err := s.claim(ctx, id)
	if err != nil {
		return fmt.Errorf("take the run %s: %w", id, err)
	}
	if !claimed {
		return nil // it has ended, or another job of it was faster
	}
	end := context.WithoutCancel(ctx) // what is done is booked even where the worker is told to end
	var run *Run
	if err := again(ctx, func() error { run, err = s.Run(ctx, id); return err }); err != nil {
		return errors.Join(err, s.release(end, id, "its worker could not read it"))
	}
	rep, err := s.Scan(ctx, run, w.opts.Scan)
	switch {
	case errors.Is(err, ErrLost):
		return nil
	case ctx.Err() != nil && (rep == nil || !rep.Run.Complete):
		return errors.Join(ctx.Err(), s.release(end, id, "its worker was told to end"))
	case rep == nil:
		return s.insist(end, func(t tx) error {
			return errors.Join(s.fail(end, t, id, err), complete(end, t, job))
		})
	}
	_, stop := s.keepAlive(end, id)
	defer stop()
	err = s.record(end, id, rep, func(t tx) error { return complete(end, t, job) })
	if err == nil || errors.Is(err, ErrLost) {
		return nil
	}
	return errors.Join(err, s.Fail(end, id, err)) // or, where nobody answers, whoever looks next
}

// Scan runs the scan of a run of this worker, within its time, with heartbeats. A
// scan that panics is one that failed.
func (s *Store) Scan(ctx context.Context, run *Run, scan Scan) (rep *scanner.Report, err error) {
	var a *Audit
	if err := again(ctx, func() error { a, err = s.Audit(ctx, run.Audit); return err }); err != nil {
		return nil, err
	}
	alive, stop := s.keepAlive(ctx, run.ID)
	defer stop()
	limit := a.timeout()
	alive, cancel := context.WithTimeoutCause(alive, limit, fmt.Errorf("the run took longer than its time of %s", limit))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.opts.Log.Error("a scan panicked", "run", run.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			rep, err = nil, fmt.Errorf("the scan panicked: %v", p)
		}
	}()
	rep, err = scan(alive, a)
	if cause := context.Cause(alive); cause != nil && err != nil && ctx.Err() == nil {
		err = cause
		if errors.Is(cause, ErrLost) {
			rep = nil
		}
	}
	if rep == nil && err == nil {
		err = errors.New("the scan returned neither a report nor an error")
	}
	return rep, err
}

// release gives a run back to the queue: this worker ends before the run did.
func (s *Store) release(ctx context.Context, id, reason string) error {
	return s.insist(ctx, func(t tx) error {
		_, err := t.exec(ctx, `UPDATE run SET state = 'queued', worker = '', reason = $3 WHERE id = $1 AND state = 'running' AND worker = $2`, id, s.worker, reason)
		return err
	})
}

type notifyWorker struct {
	river.WorkerDefaults[notifyJob]
	store *Store
	opts  WorkOptions
}

// Timeout implements [river.Worker].
func (w *notifyWorker) Timeout(*river.Job[notifyJob]) time.Duration { return 2 * time.Minute }

// Work implements [river.Worker].
func (w *notifyWorker) Work(ctx context.Context, job *river.Job[notifyJob]) error {
	n, err := w.store.take(ctx, job.Args.Key)
	if errors.Is(err, errTaken) {
		return river.JobSnooze(sendingLease)
	}
	if err != nil || n == nil {
		return err
	}
	if err := w.opts.Send(ctx, n); err != nil {
		return errors.Join(err, w.store.notSent(context.WithoutCancel(ctx), n.Key, err))
	}
	end := context.WithoutCancel(ctx)
	return w.store.insist(end, func(t tx) error {
		if err := w.store.sent(end, t, n.Key); err != nil {
			return err
		}
		return complete(end, t, job)
	})
}
