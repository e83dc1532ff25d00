package engine

import (
	"maps"
	"slices"

	"github.com/postscan/postscan/scanner/facts"
)

// names are capabilities as facts have them: sorted, each once, without "CAP_".
func names(list []string) []string {
	out := make([]string, 0, len(list))
	for _, c := range list {
		out = append(out, facts.CapabilityName(c))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// computed applies additions and drops as dockerd and Podman do: a capability
// that is added by name is there even where it is dropped by name, unless ALL is
// added, which lets drops by name win.
func computed(privileged bool, add, drop, defaults []string) []string {
	add, drop = names(add), names(drop)
	switch {
	case privileged:
		return []string{"ALL"}
	case slices.Contains(add, "ALL"):
		return whole(without(facts.AllCapabilities(), drop))
	case slices.Contains(drop, "ALL"):
		return add
	default:
		return names(append(without(defaults, drop), add...))
	}
}

func without(list, drop []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(c string) bool { return slices.Contains(drop, c) })
}

// whole writes the full set as ["ALL"].
func whole(list []string) []string {
	set := map[string]bool{}
	for _, c := range list {
		set[c] = true
	}
	for _, c := range facts.AllCapabilities() {
		if !set[c] {
			return slices.Sorted(maps.Keys(set))
		}
	}
	return []string{"ALL"}
}
