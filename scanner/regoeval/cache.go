package regoeval

import (
	"crypto/sha256"
	"sync"
)

const (
	// cacheAnswers bounds the documents that one generation remembers.
	cacheAnswers = 4096
	// cacheViolations bounds the violations that it holds, which are what takes space.
	cacheViolations = 20_000
)

// key names a facts document as the policies see it, and the policies that were asked.
type key struct {
	facts [sha256.Size]byte
	run   string
}

// cache remembers answers by the facts that they were given on. It keeps two
// generations: when the young one is full, the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[key][]answer
	violations int // in young
}

func (c *cache) get(k key) ([]answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.young[k]; ok {
		return a, true
	}
	a, ok := c.old[k]
	if ok {
		c.insert(k, a)
	}
	return a, ok
}

func (c *cache) put(k key, a []answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(k, a)
}

func (c *cache) insert(k key, answers []answer) {
	n := 0
	for _, a := range answers {
		n += len(a.violations)
	}
	if n > cacheViolations/4 {
		return // it would push out everything else
	}
	if c.young == nil || len(c.young) >= cacheAnswers || c.violations+n > cacheViolations {
		c.old, c.young, c.violations = c.young, map[key][]answer{}, 0
	}
	c.young[k] = answers
	c.violations += n
}
