package regoeval

import "sync"

const (
	// cacheAnswers bounds the answers that one generation remembers.
	cacheAnswers = 1 << 16
	// cacheViolations bounds the violations that it holds, which are what takes space.
	cacheViolations = 20_000
)

// denied stands where a policy is known to deny, in words that depend on more
// than the key.
var denied = &answer{}

// cache remembers answers by what the policy looked at. It keeps two
// generations: when the young one is full, the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[key]*answer
	violations int // in young
}

// get fills in the answers that are known, and returns the policies that are to be asked.
func (c *cache) get(p *parts, groups []digest, run set, out []answer) (ask set) {
	ask = newSet(len(out))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range out {
		if !run.has(i) {
			continue
		}
		a := c.lookup(newKey(i, false, &groups[p.body[i]]))
		if a == denied {
			a = c.lookup(newKey(i, true, &groups[p.full[i]]))
		}
		if a == nil {
			ask.add(i)
			continue
		}
		out[i] = *a
	}
	return ask
}

func (c *cache) lookup(k key) *answer {
	if a, ok := c.young[k]; ok {
		return a
	}
	a, ok := c.old[k]
	if ok {
		c.insert(k, a)
	}
	return a
}

// put remembers the answers of the policies that were asked.
func (c *cache) put(p *parts, groups []digest, asked set, out []answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range out {
		if !asked.has(i) {
			continue
		}
		a, body := out[i], newKey(i, false, &groups[p.body[i]])
		if len(a.violations) == 0 && !a.faulty {
			c.insert(body, &a)
			continue
		}
		c.insert(body, denied)
		if len(a.violations) <= cacheViolations/4 { // more would push out everything else
			c.insert(newKey(i, true, &groups[p.full[i]]), &a)
		}
	}
}

func (c *cache) insert(k key, a *answer) {
	n := len(a.violations)
	if c.young == nil || len(c.young) >= cacheAnswers || c.violations+n > cacheViolations {
		c.old, c.young, c.violations = c.young, map[key]*answer{}, 0
	}
	c.young[k] = a
	c.violations += n
}
