package audit

import (
	"context"
	"encoding/json"
	"slices"

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
		if err := t.enqueue(ctx, notifyJob{Key: n.Key}, &river.InsertOpts{Queue: notifyQueue, MaxAttempts: 20}); err != nil {
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
