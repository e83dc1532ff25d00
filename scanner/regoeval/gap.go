package regoeval

import (
	"maps"
	"slices"
	"strings"

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

// gapIn looks up what the policy needs: parameters that are not configured, then
// facts. What was seen in part is judged; it never passes.
func (p *policy) gapIn(r *facts.Resource) gap {
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
		for _, path := range slices.Sorted(maps.Keys(r.Missing)) {
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

func (s set) has(i int) bool { return s[i/8]&(1<<(i%8)) != 0 }

func (s set) empty() bool { return !slices.ContainsFunc(s, func(b byte) bool { return b != 0 }) }
