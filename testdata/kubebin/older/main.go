// Command older writes what older versions of Kubernetes install by themselves
// beyond what the version of the command bootstrap does, for the package
// collect/kube to recognise it by name and content. It reads the lists that
// Kubernetes keeps of it among its own test data.
//
// Run in this folder, with the sources of the versions as they come from
// `go mod download k8s.io/kubernetes@v1.36.3` and so on:
//
//	go run . ../../../scanner/collect/kube/bootstrap.json.gz "$(go env GOMODCACHE)"/k8s.io/kubernetes@v1.{29,30,31,32,33,34,35,36}.* > ../../../scanner/collect/kube/bootstrap_older.json.gz
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
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
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	current, err := readCurrent(args[0])
	if err != nil {
		return err
	}
	out := data{Roles: map[string][]rule{}, Bindings: map[string]binding{}}
	for _, dir := range args[1:] {
		if err := out.version(filepath.Join(dir, "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"), current); err != nil {
			return err
		}
	}
	z, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(z).Encode(out); err != nil {
		return err
	}
	return z.Close()
}

func readCurrent(file string) (*data, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	d := &data{}
	return d, json.NewDecoder(z).Decode(d)
}

// parts are the roles that the aggregated ones of every version take in.
var parts = map[string][]string{
	"system:aggregate-to-view": {"view", "edit", "admin"}, "system:aggregate-to-edit": {"edit", "admin"}, "system:aggregate-to-admin": {"admin"},
}

// version adds what one version installs.
func (d *data) version(dir string, current *data) error {
	for _, name := range []string{"cluster-roles.yaml", "controller-roles.yaml", "namespace-roles.yaml"} {
		var list struct {
			Items []rbacv1.ClusterRole
		}
		if err := read(filepath.Join(dir, name), &list); err != nil {
			return err
		}
		for _, r := range list.Items {
			to := []string{id(r.Kind, r.Namespace, r.Name)}
			for _, whole := range parts[r.Name] {
				to = append(to, id("ClusterRole", "", whole))
			}
			for _, to := range to {
				if _, ok := d.Roles[to]; !ok && current.Roles[to] == nil {
					d.Roles[to] = []rule{} // a role that is no more, perhaps without rules
				}
				for _, p := range r.Rules {
					d.add(to, rule{p.Verbs, p.APIGroups, p.Resources, p.ResourceNames, p.NonResourceURLs, ""}, current)
				}
			}
		}
	}
	for _, name := range []string{"cluster-role-bindings.yaml", "controller-role-bindings.yaml", "namespace-role-bindings.yaml"} {
		var list struct {
			Items []rbacv1.RoleBinding
		}
		if err := read(filepath.Join(dir, name), &list); err != nil {
			return err
		}
		for _, b := range list.Items {
			ns := ""
			if b.RoleRef.Kind == "Role" {
				ns = b.Namespace
			}
			d.bind(id(b.Kind, b.Namespace, b.Name), id(b.RoleRef.Kind, ns, b.RoleRef.Name), b.Subjects, current)
		}
	}
	return nil
}

// add adds a rule that is not there yet.
func (d *data) add(role string, r rule, current *data) {
	same := func(o rule) bool {
		return slices.Equal(o.Verbs, r.Verbs) && slices.Equal(o.APIGroups, r.APIGroups) && slices.Equal(o.Resources, r.Resources) &&
			slices.Equal(o.ResourceNames, r.ResourceNames) && slices.Equal(o.NonResourceURLs, r.NonResourceURLs)
	}
	if !slices.ContainsFunc(current.Roles[role], same) && !slices.ContainsFunc(d.Roles[role], same) {
		d.Roles[role] = append(d.Roles[role], r)
	}
}

// bind adds the subjects that are not there yet.
func (d *data) bind(id, role string, subjects []rbacv1.Subject, current *data) {
	known, ok := d.Bindings[id]
	for _, s := range subjects {
		name := s.Kind + "/" + s.Name
		if s.Namespace != "" {
			name = s.Namespace + "/" + name
		}
		if now := current.Bindings[id]; now.Role == role && slices.Contains(now.Subjects, name) || slices.Contains(known.Subjects, name) {
			continue
		}
		known.Role, known.Subjects, ok = role, append(known.Subjects, name), true
	}
	if ok {
		d.Bindings[id] = known
	}
}

func read(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

func id(kind, namespace, name string) string {
	if namespace == "" {
		return kind + "/" + name
	}
	return namespace + "/" + kind + "/" + name
}
