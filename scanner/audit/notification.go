package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/postscan/postscan/scanner"
)

// Notification tells one channel what a run changed. It holds no evidence and no
// secret: who may read a channel is not known here.
type Notification struct {
	// Key is the same for every attempt to send it; receivers tell repetitions by it.
	Key     string `json:"key"`
	Audit   string `json:"audit"`
	Run     string `json:"run"`
	Channel string `json:"-"`
	// Repeat says that an earlier attempt may have arrived: it was not answered.
	Repeat bool   `json:"-"`
	Counts Counts `json:"counts"`
	// Changes are the worst ones; More counts those left out.
	Changes []ChangedFinding `json:"changes"`
	More    int              `json:"more"`
}

// ChangedFinding is one change of a finding, in words.
type ChangedFinding struct {
	Change   string           `json:"change"` // new, fixed, reopened, severity
	Severity scanner.Severity `json:"severity"`
	Check    string           `json:"check"`
	Title    string           `json:"title"`
	Target   string           `json:"target"`
	Resource string           `json:"resource"`
	Message  string           `json:"message"`
}

// directGrace is how long the queue leaves the notifications of a direct run to
// whoever ran it.
const directGrace = 5 * time.Minute

// maxChanges bounds the changes of one notification.
const maxChanges = 50

// notifyChanges queues what the channels of the audit are to be told of the run. A
// run that changed nothing tells nobody.
func (s *Store) notifyChanges(ctx context.Context, t tx, r *recording) error {
	if len(r.notes) == 0 {
		return nil
	}
	a, err := readAudit(ctx, t, r.audit)
	if err != nil {
		return err
	}
	slices.SortStableFunc(r.notes, func(x, y note) int { return rank(y.severity) - rank(x.severity) })
	n := Notification{Audit: r.audit, Run: r.run, Counts: r.counts, More: max(0, len(r.notes)-maxChanges)}
	for _, c := range r.notes[:min(len(r.notes), maxChanges)] {
		n.Changes = append(n.Changes, ChangedFinding{Change: c.kind, Severity: c.severity, Check: c.check, Title: c.title, Target: c.target, Resource: c.resource, Message: c.message})
	}
	var run *string
	origin := fmt.Sprintf("waivers-%s-%d", r.audit, r.at) // no run: time alone changed it
	if r.run != "" {
		run, origin = &r.run, r.run
	}
	for _, channel := range a.Notify {
		n.Key = origin + "/" + channel
		body, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO notification (key, audit, run, channel, body, queued_at) VALUES ($1, $2, $3, $4, $5, $6)`, n.Key, r.audit, run, channel, string(body), r.at); err != nil {
			return err
		}
		o := notifyOptions()
		if r.cause == CauseDirect {
			o.ScheduledAt = s.opts.Now().Add(directGrace) // who ran it sends it, see SendOf
		}
		if err := t.enqueue(ctx, notifyJob{Key: n.Key}, o); err != nil {
			return err
		}
	}
	return nil
}

// sendingLease is after how long a worker of another machine that sends a
// notification, and does nothing else, counts as gone: more than any attempt may take.
const sendingLease = 5 * time.Minute

// take gives the notification to this worker to send, and notes that it does before
// anything is sent. It returns nil where it was sent or is not known, and [errTaken]
// where another worker sends it now.
func (s *Store) take(ctx context.Context, key string) (*Notification, error) {
	var n *Notification
	now := s.now()
	err := s.db.write(ctx, func(t tx) error {
		n = nil
		taken, err := t.exec(ctx, `UPDATE notification SET worker = $2, sending_at = $3 WHERE key = $1 AND sent_at IS NULL AND sending_at IS NULL`, key, s.worker, now)
		if err != nil {
			return err
		}
		var channel, body string
		var unanswered int
		found, err := one(ctx, t, []any{&channel, &body, &unanswered}, `SELECT channel, body, unanswered FROM notification WHERE key = $1 AND sent_at IS NULL`, key)
		switch {
		case err != nil || !found:
			return err
		case taken == 0:
			return errTaken
		}
		n = &Notification{Channel: channel, Repeat: unanswered > 0}
		return json.Unmarshal([]byte(body), n)
	})
	if err == nil || errors.Is(err, errTaken) {
		return n, err
	}
	// Whether it was taken is not known, and nobody sends it.
	back := s.insist(ctx, func(t tx) error {
		_, err := t.exec(ctx, `UPDATE notification SET sending_at = NULL, worker = '' WHERE key = $1 AND sent_at IS NULL AND worker = $2 AND sending_at = $3`, key, s.worker, now)
		return err
	})
	return nil, errors.Join(err, back)
}

// errTaken says that another worker sends the notification.
var errTaken = errors.New("another worker sends the notification")

// errUnanswered says of an attempt that the notification may have arrived: it was
// sent, and not answered.
var errUnanswered = errors.New("whether it arrived is not known")

// notSent books an attempt that failed.
func (s *Store) notSent(ctx context.Context, key string, cause error) error {
	return s.insist(ctx, func(t tx) error {
		_, err := t.exec(ctx, `UPDATE notification SET attempts = attempts + 1, unanswered = unanswered + $4, last_error = $2, sending_at = NULL, worker = '' WHERE key = $1 AND worker = $3`,
			key, cause.Error(), s.worker, truth(errors.Is(cause, errUnanswered)))
		return err
	})
}

// recoverNotifications queues again what a killed worker was about to send. Whether
// it had been delivered cannot be known: the receiver tells by the key.
func (s *Store) recoverNotifications(ctx context.Context, t tx, look *look) error {
	var lost []string
	err := each(ctx, t, func(r rows) error {
		var key, worker string
		var since int64
		if err := r.Scan(&key, &worker, &since); err != nil {
			return err
		}
		if look.gone("notification "+key, worker, since, sendingLease) != "" {
			lost = append(lost, key)
		}
		return nil
	}, `SELECT key, worker, sending_at FROM notification WHERE sent_at IS NULL AND sending_at IS NOT NULL ORDER BY key `+s.db.words()["skip"])
	if err != nil {
		return err
	}
	for _, key := range lost {
		if _, err := t.exec(ctx, `UPDATE notification SET sending_at = NULL, worker = '', unanswered = unanswered + 1, last_error = 'its worker ended while it sent it' WHERE key = $1`, key); err != nil {
			return err
		}
		if err := t.enqueue(ctx, notifyJob{Key: key}, notifyOptions()); err != nil {
			return err
		}
	}
	return nil
}

// rank orders changes. A severity that no advisory states stands behind high.
func rank(s scanner.Severity) int {
	if s == scanner.SeverityUnknown {
		return 2*int(scanner.SeverityHigh) - 1
	}
	return 2 * int(s)
}

// notifyAttempts is how often a notification is tried.
const notifyAttempts = 20

// notifyOptions let the queue try for about a week, with growing pauses.
func notifyOptions() *river.InsertOpts {
	return &river.InsertOpts{Queue: notifyQueue, MaxAttempts: notifyAttempts}
}

// SendOf sends the notifications of a direct run, for there may be no server that
// works the queue. What cannot be sent stays queued.
func (s *Store) SendOf(ctx context.Context, run string, send func(context.Context, *Notification) error) error {
	var keys []string
	err := s.db.read(ctx, func(q querier) error {
		return each(ctx, q, func(r rows) error {
			var key string
			err := r.Scan(&key)
			keys = append(keys, key)
			return err
		}, `SELECT key FROM notification WHERE run = $1 AND sent_at IS NULL ORDER BY key`, run)
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range keys {
		n, err := s.take(ctx, key)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil || n == nil {
			errs = append(errs, err)
			continue
		}
		if err := send(ctx, n); err != nil {
			errs = append(errs, err, s.notSent(context.WithoutCancel(ctx), key, err))
			continue
		}
		end := context.WithoutCancel(ctx)
		errs = append(errs, s.insist(end, func(t tx) error { return s.sent(end, t, key) }))
	}
	return errors.Join(errs...)
}

// sent books that a notification was delivered.
func (s *Store) sent(ctx context.Context, t tx, key string) error {
	_, err := t.exec(ctx, `UPDATE notification SET sent_at = $2, attempts = attempts + 1, last_error = '', sending_at = NULL WHERE key = $1`, key, s.now())
	return err
}
