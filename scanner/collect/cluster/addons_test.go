package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// The role for add-ons lists every kind of add-ons that is read, and no other.
func TestRoleForAddOns(t *testing.T) {
	var rules []rbacv1.PolicyRule
	for _, name := range []string{"add-ons.yaml", "gatekeeper.yaml"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal(b, &role); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, role.Rules...)
	}
	want := []string{"constraints.gatekeeper.sh/*"}
	for _, c := range customKinds {
		want = append(want, c.group+"/"+c.resource)
	}
	var got []string
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			got = append(got, rule.APIGroups[0]+"/"+resource)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the roles have\n%v\nand the collector reads\n%v", got, want)
	}
}
