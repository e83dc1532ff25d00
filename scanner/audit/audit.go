// Package audit keeps what scans found over time: it runs them on a schedule,
// stores reports and findings, tells what changed, and notifies.
//
// One database holds everything: the schedules, the queue of jobs (River's own
// tables), runs, reports, findings and their history. It is SQLite in a file, or
// PostgreSQL where several workers share the work; both speak through [Store].
//
// A run is written in one transaction, together with the end of its job, so
// whatever is killed at whatever moment leaves either the whole run or none of it.
// While it goes on, a run carries the name of its worker and a heartbeat; a run
// whose worker is gone is queued again or failed, see [Store.Recover].
package audit

import (
	"time"

	"github.com/postscan/postscan/scanner"
)

// State is where a run stands.
type State string

// The states of a run. A run ends as Done or Failed, never as anything else.
const (
	Queued  State = "queued"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Run is one scan of one audit.
type Run struct {
	ID      string `json:"id"`
	Audit   string `json:"audit"`
	State   State  `json:"state"`
	Trigger string `json:"trigger"` // schedule, manual, direct, upload
	// Reason says why a run failed, or why it could not see everything.
	Reason  string `json:"reason"`
	Attempt int    `json:"attempt"` // counts from 1
	Worker  string `json:"worker"`  // who runs or ran it
	// Scheduled is the time that the schedule gave; zero for a manual run.
	Scheduled time.Time `json:"scheduled,omitzero"`
	Queued    time.Time `json:"queued"`
	Started   time.Time `json:"started,omitzero"`
	Finished  time.Time `json:"finished,omitzero"`
	// Complete is false where the collection was broken off.
	Complete bool   `json:"complete"`
	Counts   Counts `json:"counts"`
}

// Counts are what a run found and what changed with it, in findings. Unknown
// counts outcomes.
type Counts struct {
	Critical   int `json:"critical"`
	High       int `json:"high"`
	Medium     int `json:"medium"`
	Low        int `json:"low"`
	Info       int `json:"info"`
	Unrated    int `json:"unrated"` // of an advisory that states no severity
	Suppressed int `json:"suppressed"`
	Unknown    int `json:"unknown"`
	New        int `json:"new"`
	Fixed      int `json:"fixed"`
	Reopened   int `json:"reopened"`
	Changed    int `json:"changed"` // another severity
	Stale      int `json:"stale"`   // targets that could not be scanned
}

// severity counts n findings of a severity.
func (c *Counts) severity(s scanner.Severity, n int) {
	switch s {
	case scanner.SeverityCritical:
		c.Critical += n
	case scanner.SeverityHigh:
		c.High += n
	case scanner.SeverityMedium:
		c.Medium += n
	case scanner.SeverityLow:
		c.Low += n
	case scanner.SeverityInfo:
		c.Info += n
	default:
		c.Unrated += n
	}
}

// Target is one thing that an audit looks at, from run to run.
type Target struct {
	ID       int64  `json:"id"`
	Audit    string `json:"audit"`
	Identity string `json:"identity"` // what stays the same: never a tag or digest
	Kind     string `json:"kind"`
	Ref      string `json:"ref"` // as the last run named it
	// Seen is when it was last scanned whole; zero if never.
	Seen time.Time `json:"seen,omitzero"`
	// Stale is since when it could not be scanned; zero where the last run could.
	Stale  time.Time `json:"stale,omitzero"`
	Reason string    `json:"reason"` // of staleness
	// Gone is when the audit stopped naming it; its findings are kept and count no more.
	Gone time.Time `json:"gone,omitzero"`
}

// Standing is where a finding stands.
type Standing string

// The standings of a finding.
const (
	StandingOpen       Standing = "open"
	StandingSuppressed Standing = "suppressed" // by a waiver, VEX or an option, for the reason it states
	StandingFixed      Standing = "fixed"      // a scan that could see it did not find it any more
)

// Finding is one finding of one target over time. The evidence stands in the
// report of the run that saw it last.
type Finding struct {
	ID          int64            `json:"id"`
	Target      Target           `json:"target"`
	Fingerprint string           `json:"fingerprint"`
	Check       string           `json:"check"`
	Title       string           `json:"title"`
	Severity    scanner.Severity `json:"severity"`
	Kind        string           `json:"resource_kind"`
	Resource    string           `json:"resource"`
	Key         string           `json:"key"`
	Message     string           `json:"message"`
	// Copies is how many findings of the last report share the fingerprint.
	Copies   int      `json:"copies"`
	Standing Standing `json:"standing"`
	// Suppression says by what, why, and until when it does not count; nil where it counts.
	Suppression *scanner.Suppression `json:"suppression"`
	FirstSeen   time.Time            `json:"first_seen"`
	LastSeen    time.Time            `json:"last_seen"`
	// Unconfirmed is since when no scan could look whether it is still there; zero where
	// the last one could.
	Unconfirmed time.Time `json:"unconfirmed_since,omitzero"`
	FixedAt     time.Time `json:"fixed_at,omitzero"` // zero where it is not fixed
	Reopened    int       `json:"reopened"`          // times
}

// Change is one step in the history of a finding.
type Change struct {
	Finding int64     `json:"finding"`
	Run     string    `json:"run"` // empty where time alone changed it: a waiver ended
	At      time.Time `json:"at"`
	// Kind is new, fixed, reopened, severity, suppressed or unsuppressed.
	Kind string `json:"kind"`
	// From and To are severities, or standings.
	From string `json:"from"`
	To   string `json:"to"`
}

// The kinds of changes.
const (
	ChangeNew          = "new"
	ChangeFixed        = "fixed"
	ChangeReopened     = "reopened"
	ChangeSeverity     = "severity"
	ChangeSuppressed   = "suppressed"
	ChangeUnsuppressed = "unsuppressed"
)
