package regoeval

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/postscan/postscan/scanner/facts"
)

// gap is what is not known when a check is decided on a resource.
type gap struct {
	// whole means that the policy cannot be asked at all.
	whole   bool
	status  facts.Gap // empty where nothing is missing; Unknown outweighs NotAssessed
	reasons []string
}

func (g *gap) add(status facts.Gap, reasons ...string) {
	for _, reason := range reasons {
		if g.status != facts.Unknown {
			g.status = status
		}
		if !slices.Contains(g.reasons, reason) {
			g.reasons = append(g.reasons, reason)
		}
	}
}

// maxGaps bounds the sets of missing facts that are remembered. A scan has a
// handful: what a right or a kind of object leaves unseen is the same everywhere.
const maxGaps = 1024

// resourceGaps are the gaps of one set of missing facts. They are shared and not changed.
type resourceGaps struct {
	of  []gap // by policy
	run set   // the policies that can be asked
}

// gaps remembers the gaps by what is missing.
type gaps struct {
	mu    sync.Mutex
	known map[string]*resourceGaps
}

// in looks up the gaps of all policies in a resource.
func (g *gaps) in(r *facts.Resource, policies []*policy) *resourceGaps {
	paths := make([]string, 0, 64)
	for path := range r.Missing {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	name := make([]byte, 0, 1<<12)
	for _, path := range paths {
		m := r.Missing[path]
		for _, text := range [...]string{path, string(m.Status), strconv.FormatBool(m.Partial), m.Reason} {
			name = append(append(strconv.AppendInt(name, int64(len(text)), 10), ' '), text...)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.known[string(name)]; ok {
		return known
	}
	out := &resourceGaps{of: make([]gap, len(policies)), run: newSet(len(policies))}
	for i, p := range policies {
		if out.of[i] = p.gapIn(r, paths); !out.of[i].whole {
			out.run.add(i)
		}
	}
	if g.known == nil || len(g.known) >= maxGaps {
		g.known = map[string]*resourceGaps{}
	}
	g.known[string(name)] = out
	return out
}

// gapIn looks up what the policy needs: parameters that are not configured, then
// facts. What was seen in part is judged; it never passes.
// missing are the paths of the resource's missing map, sorted.
func (p *policy) gapIn(r *facts.Resource, missing []string) gap {
	var g gap
	if p.check.DecidedBy != "" {
		g.whole = true
		g.add(facts.NotAssessed, "is decided by "+p.check.DecidedBy+", which is no part of this scan")
		return g
	}
	for _, name := range p.unset {
		g.whole = true
		g.add(facts.NotAssessed, "the parameter "+name+" is not configured")
	}
	if len(r.Missing) == 0 {
		return g
	}
	for _, need := range p.asks {
		if m, ok := r.MissingAt(need); ok {
			g.miss(need, m)
			continue
		}
		for _, path := range missing {
			if partOf(need, path) {
				g.miss(path, r.Missing[path])
			}
		}
	}
	return g
}

// miss books an entry of the resource's missing map.
func (g *gap) miss(path string, m facts.Missing) {
	g.whole = g.whole || !m.Partial
	status := m.Status
	if status != facts.NotAssessed {
		status = facts.Unknown // whatever else it says, it was not seen
	}
	reason := m.Reason
	if reason == "" {
		reason = path + " was not seen"
	}
	g.add(status, reason)
}

// partOf is true where the path is a field below need: whoever needs all of
// distribution needs distribution.version. A field of a list's elements is not:
// it counts where the policy reads it.
func partOf(need, path string) bool {
	rest, ok := strings.CutPrefix(path, need)
	return ok && strings.HasPrefix(rest, ".") && !strings.Contains(rest, "[]")
}

// set is a set of policies of a subject by their index.
type set []byte

func newSet(n int) set { return make(set, (n+7)/8) }

func (s set) add(i int) { s[i/8] |= 1 << (i % 8) }

func (s set) remove(i int) { s[i/8] &^= 1 << (i % 8) }

func (s set) has(i int) bool { return s[i/8]&(1<<(i%8)) != 0 }

// join adds all of another set of the same policies.
func (s set) join(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// and is what is in both.
func (s set) and(other set) set {
	out := slices.Clone(s)
	for i := range out {
		out[i] &= other[i]
	}
	return out
}

func (s set) count() int {
	n := 0
	for _, b := range s {
		n += bits.OnesCount8(b)
	}
	return n
}

func (s set) empty() bool { return !slices.ContainsFunc(s, func(b byte) bool { return b != 0 }) }
