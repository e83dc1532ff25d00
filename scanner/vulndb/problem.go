package vulndb

import (
	"errors"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// What can be wrong with a database. Errors of this package wrap one of them, so
// that errors.Is tells; the text around it names the file and the remedy.
var (
	// ErrMissing: there is no database, or it lacks its metadata.
	ErrMissing = errors.New("there is none")
	// ErrEmpty: the file is there and holds no advisories.
	ErrEmpty = errors.New("it is empty")
	// ErrCorrupt: the file or its metadata is not readable, or is broken off.
	ErrCorrupt = errors.New("it is corrupt")
	// ErrSchema: the database is of a schema that this version cannot read.
	ErrSchema = errors.New("it has another schema")
	// ErrUpdate: the database could not be fetched. What was there is untouched.
	ErrUpdate = errors.New("it could not be fetched")
	// ErrBusy: another database is open in this process, or somebody writes to it.
	ErrBusy = errors.New("it is in use")
	// ErrClosed: the DB was closed.
	ErrClosed = errors.New("it is closed")
)

// IncompleteError says that the vulnerabilities that [DB.Match] returned with it
// are right, but perhaps not all: for some packages nothing in the database
// could have matched, or it is too old to prove anything clean.
type IncompleteError struct {
	Gaps []facts.Missing // each with its own reason; Partial is set
}

// Error lists the reasons.
func (e *IncompleteError) Error() string { return e.Missing().Reason }

// Missing joins the gaps into the one entry that a fact's path can have: unknown
// where any of them is, else not assessed.
func (e *IncompleteError) Missing() facts.Missing {
	m := facts.Missing{Status: facts.NotAssessed, Partial: true}
	reasons := make([]string, 0, len(e.Gaps))
	for _, g := range e.Gaps {
		if g.Status == facts.Unknown {
			m.Status = facts.Unknown
		}
		reasons = append(reasons, g.Reason)
	}
	m.Reason = strings.Join(reasons, "; ")
	return m
}
