package manifests

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/regoeval"
)

// gathered keeps the resources of one kind.
type gathered struct {
	kind facts.Kind
	list []*facts.Resource
}

func (g *gathered) Target(facts.Target) error { return nil }
func (g *gathered) Source(facts.Source) error { return nil }
func (g *gathered) Resource(_ context.Context, r *facts.Resource) error {
	if r.Kind == g.kind {
		r.Normalise()
		g.list = append(g.list, r)
	}
	return nil
}

// BenchmarkRolePolicies judges 1,000 service accounts with a role each, and their
// roles and bindings, by every check of the kind. No two are equal. Compiling the
// policies is part of it.
func BenchmarkRolePolicies(b *testing.B) {
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	for i := range 1000 {
		name, ns := fmt.Sprint("role-", i), fmt.Sprint("team-", i%50)
		fmt.Fprintf(&text, "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %[1]s, namespace: %[2]s}\n"+
			"---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: %[1]s, namespace: %[2]s}\n"+
			"rules: [{apiGroups: [''], resources: [configmaps, pods], verbs: [get, list, watch], resourceNames: [%[1]s]}]\n"+
			"---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: %[1]s, namespace: %[2]s}\n"+
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}\nsubjects: [{kind: ServiceAccount, name: %[1]s, namespace: %[2]s}]\n", name, ns)
	}
	for _, kind := range []facts.Kind{facts.KindIdentity, facts.KindRole, facts.KindBinding} {
		b.Run(string(kind), func(b *testing.B) {
			seen := gathered{kind: kind}
			if err := New(Options{Paths: []string{"-"}, Stdin: strings.NewReader(text.String()), Parallel: 1}).Collect(b.Context(), &seen); err != nil {
				b.Fatal(err)
			}
			selected, err := cat.Select([]string{"subject:" + string(kind)}, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				eval, err := regoeval.New(b.Context(), cat, selected, regoeval.Options{Now: time.Unix(0, 0)})
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range seen.list {
					if _, err := eval.Evaluate(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(seen.list)), "judged")
		})
	}
}
