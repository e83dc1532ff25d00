package kube

import (
	"bytes"
	"compress/gzip"
	_ "embed" // bootstrap.json.gz
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/postscan/postscan/scanner/facts"
)

// bootstrapJSON holds the roles and bindings that an API server makes by
// itself, and those of kubeadm and CoreDNS; written by
// testdata/kubebin/bootstrap from the source of Kubernetes 1.37.
//
//go:embed bootstrap.json.gz
var bootstrapJSON []byte

// bootstrapData is what Kubernetes installs, by name.
type bootstrapData struct {
	Roles    map[string][]facts.Rule     `json:"roles"`    // "ClusterRole/view", "kube-system/Role/x"
	Bindings map[string]bootstrapSubject `json:"bindings"` // "ClusterRoleBinding/cluster-admin"
}

// bootstrapSubject is what a bootstrap binding binds.
type bootstrapSubject struct {
	Role     string   `json:"role"`     // as in Roles
	Subjects []string `json:"subjects"` // "Group/system:masters", "kube-system/ServiceAccount/x"
}

// bootstrap reads the data once.
var bootstrap = sync.OnceValue(func() *bootstrapData {
	var d bootstrapData
	z, err := gzip.NewReader(bytes.NewReader(bootstrapJSON))
	if err == nil {
		err = json.NewDecoder(z).Decode(&d)
	}
	if err != nil {
		panic(fmt.Sprintf("kube: the embedded bootstrap roles cannot be read: %v", err)) // the build is broken
	}
	return &d
})

// bootstrapRules returns what every cluster's ClusterRole of that name holds; nil for others.
func bootstrapRules(clusterRole string) []facts.Rule {
	return bootstrap().Roles["ClusterRole/"+clusterRole]
}

// bootstrapRole: Kubernetes installs a role of that name, and this one grants
// nothing that the installed one does not.
func bootstrapRole(r ref, rules []facts.Rule) bool {
	own, ok := bootstrap().Roles[r.id()]
	if !ok {
		return false
	}
	for i := range rules {
		if !withinRules(own, &rules[i]) {
			return false
		}
	}
	return true
}

// withinRules: everything that the rule grants is granted by some rule of the list.
func withinRules(list []facts.Rule, rule *facts.Rule) bool {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	covers := func(have []string, want string) bool {
		return slices.Contains(have, want) || slices.Contains(have, "*")
	}
	granted := func(f func(*facts.Rule) bool) bool {
		return slices.ContainsFunc(list, func(r facts.Rule) bool { return f(&r) })
	}
	for _, verb := range rule.Verbs {
		for _, url := range rule.NonResourceURLs {
			if !granted(func(r *facts.Rule) bool {
				return covers(r.Verbs, verb) && slices.ContainsFunc(r.NonResourceURLs, func(have string) bool { return have == url || have == "*" || glob(have, url) })
			}) {
				return false
			}
		}
		for _, group := range rule.APIGroups {
			for _, res := range rule.Resources {
				for _, n := range names {
					if !granted(func(r *facts.Rule) bool {
						return covers(r.Verbs, verb) && covers(r.APIGroups, group) && covers(r.Resources, res) &&
							(len(r.ResourceNames) == 0 || n != "" && slices.Contains(r.ResourceNames, n))
					}) {
						return false
					}
				}
			}
		}
	}
	return true
}

// bootstrapBinding: Kubernetes installs a binding of that name to that role,
// and this one has no other subjects.
func bootstrapBinding(b *binding) bool {
	own, ok := bootstrap().Bindings[b.ref.id()]
	if !ok || own.Role != b.role.id() {
		return false
	}
	for _, sub := range b.subjects {
		if !slices.Contains(own.Subjects, ref(keyOf(sub)).id()) {
			return false
		}
	}
	return true
}

// systemIdentity names a well-known identity whose grants are the installed
// ones: a name alone is not enough.
func systemIdentity(k subjectKey, list []facts.Grant) string {
	own := slices.ContainsFunc(list, func(g facts.Grant) bool { return g.Via == "" })
	foreign := slices.ContainsFunc(list, func(g facts.Grant) bool { return g.Via == "" && !g.Bootstrap })
	if foreign || !own {
		return ""
	}
	if k.kind != "ServiceAccount" {
		return k.name.name
	}
	if strings.HasSuffix(k.name.name, "-controller") {
		return "controller"
	}
	return k.name.name
}

// systemRole names the component that a bootstrap role belongs to.
func systemRole(r ref, bootstrap bool) string {
	if !bootstrap {
		return ""
	}
	return r.name.name
}
