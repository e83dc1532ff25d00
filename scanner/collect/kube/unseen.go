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
// nothing must not look like one that has nothing. Manifests have no nodes; one
// resource stands for those of the cluster that they will run in.
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
		r := s.standIn(l.kind, fmt.Sprintf("(%s that were not seen)", l.noun), s.opts.Target, facts.Missing{Status: facts.Unknown, Reason: strings.Join(reasons, "; ")})
		if !yield(r) {
			return false
		}
	}
	if s.opts.Live || s.added == nil || len(s.nodes) > 0 || !s.keep("", "Node") {
		return true
	}
	return yield(s.standIn(facts.KindNode, "(nodes of the cluster)", s.added.Target, notAssessed(needsCluster)))
}

// needsCluster is why files leave open what only a running cluster has.
const needsCluster = "needs a live cluster; scan it with postscan cluster"

// standIn is a resource of which nothing is known: every field of it has the
// same gap, so every check of its kind has the gap's status.
func (s *Set) standIn(kind facts.Kind, id, target string, gap facts.Missing) *facts.Resource {
	r := &facts.Resource{Kind: kind, ID: id, Target: target, Facts: facts.New(kind), Missing: map[string]facts.Missing{}}
	for f := range reflect.TypeOf(r.Facts).Elem().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			r.Missing[name] = gap
		}
	}
	return r
}

// NamespaceNames lists the namespaces that were seen.
func (s *Set) NamespaceNames() []string { return slices.Sorted(maps.Keys(s.namespaces)) }
