package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one way in which a policy breaks the contract.
type Problem struct {
	File string
	Line int // counts from 1; 0 where it is the file as a whole
	Text string
}

// String gives "file:line: text", as editors read it.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems are all problems of a catalogue; they are an error that tells all at once.
type Problems []Problem

// Error gives one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// orNil sorts the problems and returns them as an error, nil where there are none.
func (ps Problems) orNil() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(ps)
}
