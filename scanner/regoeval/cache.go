package regoeval

import (
	"slices"
	"sync"
)

const (
	// cacheAnswers bounds the answers that one generation remembers.
	cacheAnswers = 1 << 16
	// cacheViolations bounds the violations that it holds, which are what takes space.
	cacheViolations = 20_000
)

// said stands where a policy is known to say something, in words that depend on more
// than the key.
var said = &remembered{}

// remembered is what a policy said: an answer, or the shape of one.
type remembered struct {
	answer
	shape *shape
}

// key is what an answer is remembered under: the policy, which of its three groups,
// and the digest of that.
type key struct {
	policy int32
	of     of
	part   digest
}

// of says which digest of a policy a key holds; see [parts].
type of int32

const (
	ofBody of = iota // whether it says anything
	ofFull           // an answer
	ofBare           // a shape
)

func (s *seen) key(policy int, of of) key {
	groups := [...][]int{ofBody: s.parts.body, ofFull: s.parts.full, ofBare: s.parts.bare}
	return key{policy: int32(policy), of: of, part: s.group(groups[of][policy])} //nolint:gosec // an index of a few hundred
}

// cache remembers answers by what the policy looked at. It keeps two
// generations: when the young one is full, the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[key]*remembered
	violations int // in young
}

// get fills in the answers that are known. The others are to be asked: open with
// stand-ins, ask without. With stand-ins are asked those that are known to say
// something of documents which differ from this one only in what they show.
func (c *cache) get(s *seen, run set, out []answer, stand *standIns) (open, ask set) {
	left, ask := slices.Clone(run), newSet(len(out))
	c.look(s, left, ofBody)
	for i, r := range s.found {
		switch {
		case !left.has(i), r == said:
		case r == nil:
			ask.add(i)
			left.remove(i)
		default:
			out[i] = r.answer
			left.remove(i)
		}
	}
	c.look(s, left, ofFull)
	for i, r := range s.found {
		switch {
		case !left.has(i):
		case r != nil:
			out[i] = r.answer
			left.remove(i)
		case len(s.parts.shown[i]) == 0:
			ask.add(i)
			left.remove(i)
		}
	}
	if left.empty() {
		return left, ask
	}
	c.look(s, left, ofBare)
	open = newSet(len(out))
	for i, r := range s.found {
		if !left.has(i) {
			continue
		}
		filled := false
		if r != nil {
			out[i], filled = r.shape.fill(s, stand)
		}
		if !filled {
			open.add(i)
			left.remove(i)
		}
	}
	c.putFilled(s, left, out)
	return open, ask
}

// look finds what is remembered of some policies, into s.found.
func (c *cache) look(s *seen, policies set, of of) {
	for i := range s.found {
		if s.found[i] = nil; policies.has(i) {
			s.keys[i] = s.key(i, of) // outside the lock
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range s.found {
		if policies.has(i) {
			s.found[i] = c.lookup(s.keys[i])
		}
	}
}

func (c *cache) lookup(k key) *remembered {
	if r, ok := c.young[k]; ok {
		return r
	}
	r, ok := c.old[k]
	if ok {
		c.insert(k, r)
	}
	return r
}

// put remembers what the policies said that were asked, and the shapes of it, which
// are nil for those that were asked without stand-ins.
func (c *cache) put(s *seen, asked set, out []answer, shapes []*shape) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range out {
		if !asked.has(i) {
			continue
		}
		body := s.key(i, ofBody)
		if out[i].silent() {
			c.insert(body, &remembered{answer: out[i]})
			continue
		}
		c.insert(body, said)
		c.insert(s.key(i, ofFull), &remembered{answer: out[i]})
		if shapes != nil && shapes[i] != nil {
			c.insert(s.key(i, ofBare), &remembered{shape: shapes[i]})
		}
	}
}

// putFilled remembers answers that shapes were filled for: other documents may show
// the same.
func (c *cache) putFilled(s *seen, filled set, out []answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range out {
		if filled.has(i) {
			c.insert(s.key(i, ofFull), &remembered{answer: out[i]})
		}
	}
}

func (c *cache) insert(k key, r *remembered) {
	n := len(r.violations)
	if r.shape != nil {
		n = len(r.shape.violations)
	}
	if n > cacheViolations/4 {
		return // it would push out everything else
	}
	if c.young == nil || len(c.young) >= cacheAnswers || c.violations+n > cacheViolations {
		c.old, c.young, c.violations = c.young, map[key]*remembered{}, 0
	}
	c.young[k] = r
	c.violations += n
}
