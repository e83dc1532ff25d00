package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postscan/postscan/scanner"
)

// Options are what a [Store] needs beside its database.
type Options struct {
	// Encode and Decode are the report's JSON.
	Encode func(io.Writer, *scanner.Report) error
	Decode func(io.Reader) (*scanner.Report, error)
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Lease is for how long a run without a heartbeat counts as alive, for whoever
	// looks all the while; a minute where 0. A worker on the same machine is known to
	// be dead at once.
	Lease time.Duration
	// Attempts is how often a run is tried whose worker died; 3 where 0.
	Attempts int
	// Log takes what goes on; nothing is logged where nil.
	Log *slog.Logger
}

// Store is the history in its database. It is safe for concurrent use.
type Store struct {
	db     database
	opts   Options
	worker string // this process
	signs  *signs
}

// Open opens the database "sqlite:FILE" or "postgres://…" and brings its schema up
// to date. It refuses one that a newer postscan wrote.
func Open(ctx context.Context, name string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lease <= 0 {
		o.Lease = time.Minute
	}
	if o.Attempts <= 0 {
		o.Attempts = 3
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	db, err := openDatabase(ctx, name, o.Log)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, opts: o, worker: thisWorker(), signs: &signs{}}, nil
}

// Close closes the database.
func (s *Store) Close() { s.db.close() }

// now is the time as the database holds it.
func (s *Store) now() int64 { return s.opts.Now().UnixMicro() }

// Configure stores the audits as they are configured now. One that is no longer
// there keeps its history and is not scheduled any more. A changed schedule counts
// from now; one that did not change keeps its next run, also one that was missed.
func (s *Store) Configure(ctx context.Context, audits []Audit) error {
	return s.db.write(ctx, func(t tx) error {
		now := s.opts.Now()
		names := make([]any, 0, len(audits)+1)
		names = append(names, now.UnixMicro())
		// In one order for all: servers that start at once do not wait for each other in a circle.
		for _, a := range slices.SortedFunc(slices.Values(audits), func(x, y Audit) int { return cmp.Compare(x.Name, y.Name) }) {
			if err := configure(ctx, t, &a, now); err != nil {
				return fmt.Errorf("store the audit %q: %w", a.Name, err)
			}
			names = append(names, a.Name)
		}
		keep := ""
		if len(audits) > 0 {
			keep = " AND name NOT IN (" + numbered(2, len(audits)) + ")"
		}
		_, err := t.exec(ctx, `UPDATE audit SET removed_at = $1, next_run = NULL WHERE removed_at IS NULL`+keep, names...)
		return err
	})
}

func configure(ctx context.Context, t tx, a *Audit, now time.Time) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	var old string
	var removed *int64
	found, err := one(ctx, t, []any{&old, &removed}, `SELECT definition, removed_at FROM audit WHERE name = $1`, a.Name)
	if err != nil {
		return err
	}
	var before Audit
	if found {
		if err := json.Unmarshal([]byte(old), &before); err != nil {
			return fmt.Errorf("read its earlier definition: %w", err)
		}
	}
	if found && removed == nil && before.Schedule == a.Schedule && before.TimeZone == a.TimeZone {
		_, err := t.exec(ctx, `UPDATE audit SET definition = $2, configured_at = COALESCE(configured_at, $3) WHERE name = $1`, a.Name, string(text), now.UnixMicro())
		return err
	}
	next, err := a.next(now)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO audit (name, definition, next_run, configured_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, next_run = excluded.next_run, removed_at = NULL,
			configured_at = CASE WHEN audit.removed_at IS NULL THEN COALESCE(audit.configured_at, excluded.configured_at) ELSE excluded.configured_at END`, a.Name, string(text), micros(next), now.UnixMicro())
	return err
}

// Audit returns the audit as it was last configured.
func (s *Store) Audit(ctx context.Context, name string) (*Audit, error) {
	var a *Audit
	err := s.db.read(ctx, func(q querier) (err error) {
		a, err = readAudit(ctx, q, name)
		return err
	})
	return a, err
}

// Errors that callers tell apart.
var (
	// ErrNoAudit says that the history knows no audit of that name.
	ErrNoAudit = errors.New("the history knows no audit")
	// ErrNoRun says that the history knows no run of that id.
	ErrNoRun = errors.New("the history knows no run")
	// ErrUpload says that what was uploaded cannot be taken, whoever sends it again.
	ErrUpload = errors.New("the upload cannot be taken")
	// ErrLost says that the run is not this worker's any more.
	ErrLost = errors.New("the run was given to another worker, or ended")
)

// newID is an identifier that grows with time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// numbered writes n parameters from $first on, separated by commas.
func numbered(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// micros is a time as the database holds it; nil for the zero time.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.UnixMicro()
	return &n
}

// moment is the way back.
func moment(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.UnixMicro(*n).UTC()
}
