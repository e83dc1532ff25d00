package kube

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// listedAs says which lists the resources of a kind come from.
var listedAs = []struct {
	kind   facts.Kind
	noun   string
	topics []Topic
}{
	{facts.KindWorkload, "workloads", []Topic{Pods, Controllers}},
	{facts.KindNamespace, "namespaces", []Topic{Namespaces}},
	{facts.KindNetworkPolicy, "network policies", []Topic{NetworkPolicies}},
	{facts.KindService, "services", []Topic{Services}},
	{facts.KindIngress, "ingresses", []Topic{Ingresses}},
	{facts.KindConfigMap, "configmaps", []Topic{ConfigMaps}},
	{facts.KindIdentity, "identities", []Topic{ServiceAccounts, Bindings}},
	{facts.KindRole, "roles", []Topic{Roles}},
	{facts.KindBinding, "bindings", []Topic{Bindings}},
	{facts.KindAdmissionPolicy, "admission policies", []Topic{AdmissionPolicies}},
	{facts.KindNode, "nodes", []Topic{Nodes}},
}

// unseenResources yields, for each kind whose list was not complete, one
// resource that stands for those that were not seen. Everything about it is
// missing, so every check of the kind is unknown for it: a cluster that shows
// nothing must not look like one that has nothing.
func (s *Set) unseenResources(yield func(*facts.Resource) bool) bool {
	for _, l := range listedAs {
		var reasons []string
		for _, t := range l.topics {
			if m, ok := s.miss[t]; ok && m.Status == facts.Unknown {
				reasons = append(reasons, m.Reason)
			}
		}
		if len(reasons) == 0 {
			continue
		}
		r := &facts.Resource{
			Kind: l.kind, ID: fmt.Sprintf("(%s that were not seen)", l.noun), Target: s.opts.Target,
			Facts: facts.New(l.kind), Missing: map[string]facts.Missing{},
		}
		gap := facts.Missing{Status: facts.Unknown, Reason: strings.Join(reasons, "; ")}
		for f := range reflect.TypeOf(r.Facts).Elem().Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
				r.Missing[name] = gap
			}
		}
		if !yield(r) {
			return false
		}
	}
	return true
}

// NamespaceNames lists the namespaces that were seen.
func (s *Set) NamespaceNames() []string { return slices.Sorted(maps.Keys(s.namespaces)) }
