package audit

import (
	"fmt"
	"sync"
	"time"
)

// signs are the signs of life of other workers, as this process saw them come, by
// its own clock. The clocks of other machines may go differently, and any clock may
// be put forward or back: what a worker says counts by whether it changes, not by
// the time that it names.
type signs struct {
	mu     sync.Mutex
	looked time.Time
	seen   map[string]sign
}

type sign struct {
	value int64
	since time.Time
}

const (
	// maxGap is how long nobody may have looked. After a longer time, for which the
	// machine slept or the database was away, workers get their time anew.
	maxGap = 3 * scheduleStep
	// firstGrace is by how much clocks may differ for a process that looks for the
	// first time: a command that looks once has nothing else to go by.
	firstGrace = 10 * time.Minute
)

// look is one look at all that goes on.
type look struct {
	signs  *signs
	before map[string]sign
	now    time.Time
	first  bool
}

// look begins to look. What is not asked for until the next look is forgotten.
func (s *signs) look(now time.Time) *look {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &look{signs: s, before: s.seen, now: now, first: s.looked.IsZero()}
	if now.Sub(s.looked) > maxGap || now.Before(s.looked) {
		l.before = nil
	}
	s.looked, s.seen = now, map[string]sign{}
	return l
}

// gone says why the worker that does a thing counts as gone; empty where it does
// not. at is its last sign of life, lease how long it may stay as it is.
func (l *look) gone(thing, worker string, at int64, lease time.Duration) string {
	if dead(worker) {
		return "its worker ended without a word"
	}
	l.signs.mu.Lock()
	defer l.signs.mu.Unlock()
	last, ok := l.before[thing]
	if !ok || last.value != at {
		last = sign{at, l.now}
	}
	l.signs.seen[thing] = last
	silent := l.now.Sub(last.since)
	if age := l.now.Sub(time.UnixMicro(at)); l.first && age > firstGrace && !living(worker) {
		silent = age
	}
	if silent < lease {
		return ""
	}
	return fmt.Sprintf("its worker gave no sign of life for %s", silent.Round(time.Second))
}
