// Command bootstrap writes the roles and bindings that Kubernetes installs by
// itself, from its own source, for the package collect/kube to recognise them
// by name and content. Those of kubeadm and of its add-ons are added by hand:
// they are what kubeadm 1.37 writes.
//
// Run in this folder: go run . > ../../../scanner/collect/kube/bootstrap.json.gz
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// rule and the types below are the format that collect/kube reads.
type rule struct {
	Verbs           []string `json:"verbs"`
	APIGroups       []string `json:"api_groups"`
	Resources       []string `json:"resources"`
	ResourceNames   []string `json:"resource_names"`
	NonResourceURLs []string `json:"non_resource_urls"`
	From            string   `json:"from"`
}

type binding struct {
	Role     string   `json:"role"`
	Subjects []string `json:"subjects"`
}

type data struct {
	Roles    map[string][]rule  `json:"roles"`
	Bindings map[string]binding `json:"bindings"`
}

func main() {
	d := data{Roles: map[string][]rule{}, Bindings: map[string]binding{}}
	clusterRoles := append(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()...)
	clusterRoles = append(clusterRoles, kubeadmClusterRoles()...)
	for _, r := range clusterRoles {
		d.Roles["ClusterRole/"+r.Name] = append(d.Roles["ClusterRole/"+r.Name], rules(r.Rules, "")...)
	}
	for _, r := range clusterRoles { // what the controller puts into admin, edit and view
		if r.AggregationRule != nil {
			d.Roles["ClusterRole/"+r.Name] = aggregated(r, clusterRoles)
		}
	}
	for ns, list := range bootstrappolicy.NamespaceRoles() {
		for _, r := range list {
			d.Roles[ns+"/Role/"+r.Name] = rules(r.Rules, "")
		}
	}
	for _, r := range kubeadmRoles() {
		d.Roles[r.Namespace+"/Role/"+r.Name] = rules(r.Rules, "")
	}
	for _, b := range append(append(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()...), kubeadmClusterRoleBindings()...) {
		d.Bindings["ClusterRoleBinding/"+b.Name] = bind(b.RoleRef, "", b.Subjects)
	}
	for ns, list := range bootstrappolicy.NamespaceRoleBindings() {
		for _, b := range list {
			d.Bindings[ns+"/RoleBinding/"+b.Name] = bind(b.RoleRef, ns, b.Subjects)
		}
	}
	for _, b := range kubeadmRoleBindings() {
		d.Bindings[b.Namespace+"/RoleBinding/"+b.Name] = bind(b.RoleRef, b.Namespace, b.Subjects)
	}
	z, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err == nil {
		err = json.NewEncoder(z).Encode(d)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bootstrap:", err)
		os.Exit(1)
	}
}

// aggregated gathers the rules of the roles that an aggregation rule selects,
// those of aggregated ones among them included.
func aggregated(r rbacv1.ClusterRole, all []rbacv1.ClusterRole) []rule {
	var out []rule
	for _, from := range all {
		for _, sel := range r.AggregationRule.ClusterRoleSelectors {
			switch {
			case !matches(sel.MatchLabels, from.Labels):
			case from.AggregationRule != nil:
				out = append(out, aggregated(from, all)...)
			default:
				out = append(out, rules(from.Rules, from.Name)...)
			}
		}
	}
	return out
}

func matches(want, have map[string]string) bool {
	for k, v := range want {
		if have[k] != v {
			return false
		}
	}
	return len(want) > 0
}

func rules(in []rbacv1.PolicyRule, from string) []rule {
	var out []rule
	for _, r := range in {
		out = append(out, rule{all(r.Verbs), all(r.APIGroups), all(r.Resources), all(r.ResourceNames), all(r.NonResourceURLs), from})
	}
	return out
}

func all(list []string) []string { return append([]string{}, list...) }

func bind(to rbacv1.RoleRef, ns string, subjects []rbacv1.Subject) binding {
	b := binding{Role: "ClusterRole/" + to.Name}
	if to.Kind == "Role" {
		b.Role = ns + "/Role/" + to.Name
	}
	for _, s := range subjects {
		id := s.Kind + "/" + s.Name
		if s.Kind == "ServiceAccount" {
			id = s.Namespace + "/" + id
		}
		b.Subjects = append(b.Subjects, id)
	}
	return b
}
