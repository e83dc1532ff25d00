package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// staticPod is what a manifest of a static pod says of how it runs.
type staticPod struct {
	Kind string `json:"kind"`
	Spec struct {
		Containers []struct {
			Name    string   `json:"name"`
			Image   string   `json:"image"`
			Command []string `json:"command"`
			Args    []string `json:"args"`
			Env     []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"env"`
			EnvFrom      []json.RawMessage `json:"envFrom"`
			VolumeMounts []struct {
				Name      string `json:"name"`
				MountPath string `json:"mountPath"`
			} `json:"volumeMounts"`
		} `json:"containers"`
		Volumes []struct {
			Name     string `json:"name"`
			HostPath *struct {
				Path string `json:"path"`
			} `json:"hostPath"`
		} `json:"volumes"`
	} `json:"spec"`
}

// controlPlane returns the cluster as far as this machine tells of its control
// plane, nil where it tells nothing. The components are judged by the same checks
// as those that the API shows.
func (s *scan) controlPlane(target string, all []component, unread []string) *facts.Resource {
	if len(all)+len(unread) == 0 {
		return nil
	}
	c := &facts.Cluster{}
	r := &facts.Resource{
		Kind: facts.KindCluster, ID: "cluster", Target: target, Facts: c, Missing: facts.NeedsAPI(facts.KindCluster), Places: map[string]facts.Origin{},
		Links: []facts.Link{{Type: "runs-on", To: "vm/" + s.doc.Hostname, Evidence: "its manifests, processes or units were found on the machine", Confidence: "certain"}},
	}
	c.Anonymous, c.EtcdGuarded = facts.AnonymousAccess{Enabled: "unknown", Bindings: -1}, "unknown"
	c.Endpoint = facts.Endpoint{Public: "unknown", Restricted: "unknown"}
	c.Credential = facts.Credential{Kind: "none", Expires: "unknown"}
	lists := map[string]*[]facts.Component{
		"kube-apiserver": &c.APIServers, "kube-controller-manager": &c.ControllerManagers, "kube-scheduler": &c.Schedulers, "etcd": &c.Etcds, "kube-proxy": &c.KubeProxies,
	}
	contained := map[string]bool{}
	for _, comp := range all {
		list, field := lists[comp.Name], componentNames()[comp.Name]
		comp.Where, comp.Path = s.doc.Hostname, fmt.Sprintf("%s[%d]", field, len(*list))
		r.Places[comp.Path] = facts.Origin{File: comp.file}
		if comp.Name == "kube-apiserver" {
			s.readConfig(&comp, r)
		}
		contained[field] = contained[field] || comp.onHost == nil && comp.ConfigFile
		*list = append(*list, comp.Component)
	}
	for name, field := range componentNames() {
		if len(*lists[name]) == 0 {
			r.Missing[field] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "neither a manifest, nor a process, nor a unit of it is on this machine"}
		}
		if len(unread) > 0 {
			r.Missing[field] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: "manifests of static pods: " + strings.Join(unread, "; ")}
		}
	}
	broken := map[string]facts.Missing{} // what was tried outweighs what nobody tried
	for p, m := range r.Missing {
		if m.Status == facts.Unknown {
			broken[p] = m
		}
	}
	r.Missing["etcd_guarded"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "the firewall's rules were not read"}
	c.FromComponents(r.Missing)
	for field, is := range contained {
		if is {
			r.Missing[field+"[].flags"] = facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "it runs in a container, and its configuration file is in there; postscan cluster asks the API for it"}
		}
	}
	for p, m := range broken {
		r.Missing[p] = m
	}
	return r
}

// staticPod reads one manifest.
func (s *scan) staticPod(file string) (*staticPod, error) {
	data, err := s.t.read(file)
	if err != nil {
		return nil, err
	}
	var p staticPod
	if err := yaml.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("%s is no pod", absolute(file))
	}
	return &p, nil
}

// component reads a container of the pod.
func (p *staticPod) component(i int) (facts.Component, bool) {
	c := &p.Spec.Containers[i]
	image, _, _ := strings.Cut(c.Image, "@")
	repository, tag := image, ""
	if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') {
		repository, tag = image[:at], image[at+1:]
	}
	line := facts.CommandLine{Command: c.Command, Args: c.Args, EnvFrom: len(c.EnvFrom) > 0, Path: fmt.Sprintf("spec.containers[%d]", i)}
	for _, e := range c.Env {
		line.Env = append(line.Env, [2]string{e.Name, e.Value})
	}
	comp, ok := facts.ComponentOf(c.Name, repository, line)
	comp.Version = strings.TrimPrefix(tag, "v")
	for _, v := range p.Spec.Volumes {
		if v.HostPath != nil {
			comp.HostPaths = append(comp.HostPaths, v.HostPath.Path)
		}
	}
	slices.Sort(comp.HostPaths)
	return comp, ok
}

// onHost is where a file of the container lies on the machine: below the volume
// that is mounted deepest around it.
func (p *staticPod) onHost(i int, name string) string {
	best, host := "", name
	for _, m := range p.Spec.Containers[i].VolumeMounts {
		for _, v := range p.Spec.Volumes {
			rest, below := strings.CutPrefix(name, strings.TrimSuffix(m.MountPath, "/"))
			if v.Name == m.Name && v.HostPath != nil && below && (rest == "" || rest[0] == '/') && len(m.MountPath) > len(best) {
				best, host = m.MountPath, v.HostPath.Path+rest
			}
		}
	}
	return host
}

// readConfig reads the files that flags of the API server name, and keeps what
// checks ask.
func (s *scan) readConfig(c *component, r *facts.Resource) {
	c.Config.Read = true
	c.Config.Anonymous = "unset"
	for _, f := range []struct {
		flag, gap string
		read      func([]byte, *facts.ComponentConfig) error
	}{
		{"authentication-config", "api_servers[].config.anonymous", readAuthentication},
		{"authorization-config", "api_servers[].config.authorizers", readAuthorization},
		{"encryption-provider-config", "encryption.provider", readEncryption},
		{"audit-policy-file", "api_servers[].config.audit_drops", readAuditPolicy},
	} {
		name, given := facts.FlagOf(c.Flags, f.flag)
		if !given {
			continue
		}
		err := errInContainer
		if c.onHost != nil {
			var data []byte
			if data, err = s.t.read(c.onHost(name)); err == nil {
				err = f.read(data, &c.Config)
			}
		}
		if err != nil {
			c.Config.Read = false
			r.Missing[f.gap] = facts.Missing{Status: facts.Unknown, Partial: true, Reason: "the file of --" + f.flag + ": " + why(err)}
		}
	}
}

// errInContainer is for files of a process that has a file system of its own.
var errInContainer = errors.New("it is in the container that the API server runs in")

func readAuthentication(data []byte, c *facts.ComponentConfig) error {
	var doc struct {
		Anonymous *struct {
			Enabled    bool `json:"enabled"`
			Conditions []struct {
				Path string `json:"path"`
			} `json:"conditions"`
		} `json:"anonymous"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("it is no AuthenticationConfiguration")
	}
	if doc.Anonymous != nil {
		c.Anonymous = fmt.Sprint(doc.Anonymous.Enabled)
		for _, condition := range doc.Anonymous.Conditions {
			c.AnonymousPaths = append(c.AnonymousPaths, condition.Path)
		}
	}
	return nil
}

func readAuthorization(data []byte, c *facts.ComponentConfig) error {
	var doc struct {
		Authorizers []struct {
			Type string `json:"type"`
		} `json:"authorizers"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("it is no AuthorizationConfiguration")
	}
	for _, a := range doc.Authorizers {
		c.Authorizers = append(c.Authorizers, a.Type)
	}
	return nil
}

// readEncryption keeps the kind of the first provider for secrets; its keys stand
// in the same file and are not read.
func readEncryption(data []byte, c *facts.ComponentConfig) error {
	var doc struct {
		Resources []struct {
			Resources []string `json:"resources"`
			Providers []struct {
				Identity  *struct{} `json:"identity"`
				AESCBC    *struct{} `json:"aescbc"`
				AESGCM    *struct{} `json:"aesgcm"`
				Secretbox *struct{} `json:"secretbox"`
				KMS       *struct {
					APIVersion string `json:"apiVersion"`
				} `json:"kms"`
			} `json:"providers"`
		} `json:"resources"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("it is no EncryptionConfiguration")
	}
	c.SecretsProvider = "identity" // what no rule is for is written as it is
	for _, r := range doc.Resources {
		if len(r.Providers) == 0 || !slices.ContainsFunc(r.Resources, func(n string) bool { return n == "secrets" || n == "*." || n == "*.*" }) {
			continue
		}
		switch p := r.Providers[0]; {
		case p.KMS != nil && p.KMS.APIVersion == "v2":
			c.SecretsProvider = "kms-v2"
		case p.KMS != nil:
			c.SecretsProvider = "kms-v1"
		case p.Secretbox != nil:
			c.SecretsProvider = "secretbox"
		case p.AESGCM != nil:
			c.SecretsProvider = "aesgcm"
		case p.AESCBC != nil:
			c.SecretsProvider = "aescbc"
		}
		break // the first rule for a resource counts
	}
	return nil
}

// auditTopics are what a takeover cannot do without.
var auditTopics = []struct{ name, group, resource, verb string }{
	{"secrets", "", "secrets", "get"}, {"exec", "", "pods/exec", "create"},
	{"rbac-writes", "rbac.authorization.k8s.io", "clusterrolebindings", "create"}, {"token-requests", "", "serviceaccounts/token", "create"},
}

// auditRule is a rule of an audit policy.
type auditRule struct {
	Level      string   `json:"level"`
	Users      []string `json:"users"`
	UserGroups []string `json:"userGroups"`
	Verbs      []string `json:"verbs"`
	Namespaces []string `json:"namespaces"`
	URLs       []string `json:"nonResourceURLs"`
	Resources  []struct {
		Group         string   `json:"group"`
		Resources     []string `json:"resources"`
		ResourceNames []string `json:"resourceNames"`
	} `json:"resources"`
}

func readAuditPolicy(data []byte, c *facts.ComponentConfig) error {
	var doc struct {
		Rules []auditRule `json:"rules"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("it is no audit policy")
	}
	for _, topic := range auditTopics {
		i := slices.IndexFunc(doc.Rules, func(r auditRule) bool { return r.covers(topic.group, topic.resource, topic.verb) })
		if i < 0 || doc.Rules[i].Level == "None" {
			c.AuditDrops = append(c.AuditDrops, topic.name)
		}
	}
	return nil
}

// covers: the rule is about the resource whoever asks, wherever it is. A rule for
// some users or namespaces neither records nor drops the rest.
func (r *auditRule) covers(group, resource, verb string) bool {
	if len(r.Users)+len(r.UserGroups)+len(r.Namespaces) > 0 || len(r.Verbs) > 0 && !slices.Contains(r.Verbs, verb) && !slices.Contains(r.Verbs, "*") {
		return false
	}
	if len(r.Resources) == 0 {
		return len(r.URLs) == 0
	}
	whole, sub, _ := strings.Cut(resource, "/")
	for _, g := range r.Resources {
		if g.Group != group || len(g.ResourceNames) > 0 {
			continue
		}
		if len(g.Resources) == 0 || slices.ContainsFunc(g.Resources, func(n string) bool {
			return n == "*" || n == resource || n == whole+"/*" || sub != "" && n == "*/"+sub
		}) {
			return true
		}
	}
	return false
}
