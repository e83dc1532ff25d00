package kube

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// Whose default set a container starts from.
const (
	defaultAssumed = "assumed"
	defaultMixed   = "mixed"
)

// effectiveCapabilities applies add and drop in the order of containerd and
// CRI-O: add ALL, drop ALL, named adds, named drops. base is full, default or
// none; caps is ["ALL"] for the full set.
func effectiveCapabilities(privileged bool, add, drop []string, defaults []string) (caps []string, base string) {
	if privileged {
		return []string{"ALL"}, "full"
	}
	set := map[string]bool{}
	base = "default"
	fill := func(list []string) {
		clear(set)
		for _, c := range list {
			set[c] = true
		}
	}
	fill(defaults)
	if holdsAll(add) {
		base = "full"
		fill(facts.AllCapabilities())
	}
	if holdsAll(drop) {
		base = "none"
		clear(set)
	}
	for _, c := range add {
		if n := facts.CapabilityName(c); n != "ALL" {
			set[n] = true
		}
	}
	for _, c := range drop {
		delete(set, facts.CapabilityName(c))
	}
	if base == "full" && !slices.ContainsFunc(facts.AllCapabilities(), func(c string) bool { return !set[c] }) {
		return []string{"ALL"}, base
	}
	return slices.Sorted(maps.Keys(set)), base
}

func holdsAll(list []string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return facts.CapabilityName(c) == "ALL" })
}

func capabilityStrings(list []corev1.Capability) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = string(c)
	}
	return out
}
