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

// olderJSON holds what Kubernetes 1.29 to 1.36 install beyond that, in the same
// form; written by testdata/kubebin/older. A cluster of such a version has
// these rules, and so has one that was upgraded since: the API server adds to
// the roles that it finds and never takes away. So a role is the installed one
// where it grants nothing beyond what the versions together install under its name.
//
//go:embed bootstrap_older.json.gz
var olderJSON []byte

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

// bootstrap and older read the data once.
var (
	bootstrap = sync.OnceValue(func() *bootstrapData { return readBootstrap(bootstrapJSON) })
	older     = sync.OnceValue(func() *bootstrapData { return readBootstrap(olderJSON) })
)

func readBootstrap(packed []byte) *bootstrapData {
	var d bootstrapData
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(z).Decode(&d)
	}
	if err != nil {
		panic(fmt.Sprintf("kube: the embedded bootstrap roles cannot be read: %v", err)) // the build is broken
	}
	return &d
}

// bootstrapRules returns what every cluster's ClusterRole of that name holds; nil for others.
func bootstrapRules(clusterRole string) []facts.Rule {
	return bootstrap().Roles["ClusterRole/"+clusterRole]
}

// bootstrapRole: Kubernetes or a well-known component installs a role of that
// name, and this one grants nothing that the installed one does not.
func bootstrapRole(r ref, rules []facts.Rule) bool {
	own, ok := bootstrap().Roles[r.id()]
	old, was := older().Roles[r.id()]
	known, is := componentRole(r)
	if !ok && !was && !is {
		return false
	}
	installed := slices.Concat(own, old, known)
	for i := range rules {
		if !withinRules(installed, &rules[i]) {
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

// bootstrapBinding: the binding is an installed one and has no other subjects.
func bootstrapBinding(b *binding) bool {
	if !installedBinding(b) {
		return false
	}
	for _, sub := range b.subjects {
		if !installedSubject(b, keyOf(sub)) {
			return false
		}
	}
	return true
}

// installedBinding: a binding of that name to that role is installed.
func installedBinding(b *binding) bool {
	id, role := b.ref.id(), b.role.id()
	own, ok := bootstrap().Bindings[id]
	old, was := older().Bindings[id]
	_, is := componentSubjects(b)
	return ok && own.Role == role || was && old.Role == role || is
}

// installedSubject: the binding is an installed one, and the subject is one of
// those that it is installed with. Another subject of the same binding is not.
func installedSubject(b *binding, k subjectKey) bool {
	id, role, subject := b.ref.id(), b.role.id(), ref(k).id()
	for _, d := range []*bootstrapData{bootstrap(), older()} {
		if own, ok := d.Bindings[id]; ok && own.Role == role && slices.Contains(own.Subjects, subject) {
			return true
		}
	}
	known, _ := componentSubjects(b)
	return slices.Contains(known, subject)
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
