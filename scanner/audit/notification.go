package audit

import (
	"context"
	"encoding/json"
	"errors"
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
	Counts  Counts `json:"counts"`
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
	slices.SortStableFunc(r.notes, func(x, y note) int { return int(y.severity) - int(x.severity) })
	n := Notification{Audit: r.audit, Run: r.run, Counts: r.counts, More: max(0, len(r.notes)-maxChanges)}
	for _, c := range r.notes[:min(len(r.notes), maxChanges)] {
		n.Changes = append(n.Changes, ChangedFinding{Change: c.kind, Severity: c.severity, Check: c.check, Title: c.title, Target: c.target, Resource: c.resource, Message: c.message})
	}
	for _, channel := range a.Notify {
		n.Key = r.run + "/" + channel
		body, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO notification (key, audit, run, channel, body, queued_at) VALUES ($1, $2, $3, $4, $5, $6)`, n.Key, r.audit, r.run, channel, string(body), r.at); err != nil {
			return err
		}
		o := &river.InsertOpts{Queue: notifyQueue, MaxAttempts: 20}
		if r.cause == CauseDirect {
			o.ScheduledAt = s.opts.Now().Add(directGrace) // who ran it sends it, see SendOf
		}
		if err := t.enqueue(ctx, notifyJob{Key: n.Key}, o); err != nil {
			return err
		}
	}
	return nil
}

// unsent returns the notification unless it was sent or is not known.
func (s *Store) unsent(ctx context.Context, key string) (*Notification, error) {
	var n *Notification
	err := s.db.read(ctx, func(q querier) error {
		var channel, body string
		found, err := one(ctx, q, []any{&channel, &body}, `SELECT channel, body FROM notification WHERE key = $1 AND sent_at IS NULL`, key)
		if err != nil || !found {
			return err
		}
		n = &Notification{Channel: channel}
		return json.Unmarshal([]byte(body), n)
	})
	return n, err
}

// notSent books an attempt that failed.
func (s *Store) notSent(ctx context.Context, key string, cause error) error {
	return s.db.write(ctx, func(t tx) error {
		_, err := t.exec(ctx, `UPDATE notification SET attempts = attempts + 1, last_error = $2 WHERE key = $1`, key, cause.Error())
		return err
	})
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
		n, err := s.unsent(ctx, key)
		if err != nil || n == nil {
			errs = append(errs, err)
			continue
		}
		if err := send(ctx, n); err != nil {
			errs = append(errs, err, s.notSent(ctx, key, err))
			continue
		}
		errs = append(errs, s.db.write(ctx, func(t tx) error { return s.sent(ctx, t, key) }))
	}
	return errors.Join(errs...)
}

// sent books that a notification was delivered.
func (s *Store) sent(ctx context.Context, t tx, key string) error {
	_, err := t.exec(ctx, `UPDATE notification SET sent_at = $2, attempts = attempts + 1, last_error = '' WHERE key = $1`, key, s.now())
	return err
}
