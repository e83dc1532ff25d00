package audit

import (
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

// maxGap is how long nobody may have looked. After a longer time, for which the
// machine slept or the database was away, workers get their time anew.
const maxGap = 3 * scheduleStep

// look begins to look at what there is now. What is not asked for until the next
// look is forgotten.
func (s *signs) look(now time.Time) (silence func(id string, value int64) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.seen
	if now.Sub(s.looked) > maxGap || now.Before(s.looked) {
		before = nil
	}
	s.looked, s.seen = now, map[string]sign{}
	return func(id string, value int64) time.Duration {
		s.mu.Lock()
		defer s.mu.Unlock()
		last, ok := before[id]
		if !ok || last.value != value {
			last = sign{value, now}
		}
		s.seen[id] = last
		return now.Sub(last.since)
	}
}
