package vm

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// component is a component of the control plane that this machine runs or starts.
type component struct {
	facts.Component
	file string // where its command line was read
	// onHost is where a file that its flags name lies on the machine; nil where it
	// runs in a container of which nobody knows that.
	onHost func(name string) string
}

// componentNames are those that are looked for, and the fields that hold them.
func componentNames() map[string]string {
	return map[string]string{
		"kube-apiserver": "api_servers", "kube-controller-manager": "controller_managers", "kube-scheduler": "schedulers", "etcd": "etcds", "kube-proxy": "kube_proxies",
	}
}

// manifestDirs are where kubelets look for static pods.
func manifestDirs() []string {
	return []string{"etc/kubernetes/manifests", "var/lib/rancher/rke2/agent/pod-manifests"}
}

// findComponents finds the components of the control plane: those of static
// pods, and of what no static pod starts the processes, enabled units of systemd
// and files of arguments. unread says which manifests could not be read. An etcd
// that stands alone is left out: it may be anybody's.
func (s *scan) findComponents() (found []component, unread []string) {
	found, unread = s.staticPods()
	for _, name := range sorted(componentNames()) {
		if slices.ContainsFunc(found, func(c component) bool { return c.Name == name }) {
			continue
		}
		var units []string
		if _, on := s.enabled(name + ".service"); on {
			units = []string{name + ".service"}
		}
		line, ok := s.commandLine(name, units...)
		if !ok {
			continue
		}
		known, ok := facts.ComponentOf(name, name, facts.CommandLine{Command: append([]string{name}, line.args...), Env: line.env, Path: "process"})
		if !ok {
			continue
		}
		c := component{Component: known, file: line.file, onHost: absolute}
		if line.container {
			c.onHost = nil
		}
		found = append(found, c)
	}
	if !s.doc.Role.KubernetesNode && !slices.ContainsFunc(found, func(c component) bool { return c.Name != "etcd" }) {
		found = nil
	}
	for i := range found {
		s.componentFile(&found[i])
	}
	return found, unread
}

// staticPods reads the manifests that the kubelet starts pods from.
func (s *scan) staticPods() (found []component, unread []string) {
	for _, dir := range manifestDirs() {
		names, err := s.t.list(dir)
		if err != nil && !absent(err) {
			unread = append(unread, why(err))
		}
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				continue // the kubelet leaves them out too
			}
			file := path.Join(dir, name)
			pod, err := s.staticPod(file)
			if err != nil {
				unread = append(unread, why(err))
				continue
			}
			for i := range pod.Spec.Containers {
				known, ok := pod.component(i)
				if _, wanted := componentNames()[known.Name]; !ok || !wanted {
					continue
				}
				found = append(found, component{Component: known, file: absolute(file), onHost: func(name string) string { return pod.onHost(i, name) }})
			}
		}
	}
	return found, unread
}

// componentFile reads the configuration file in whose place flags stand
// elsewhere: etcd's, which then reads no flag, and kube-proxy's.
func (s *scan) componentFile(c *component) {
	if c.onHost == nil {
		return
	}
	read := func(flag string, into any) bool {
		name, ok := facts.FlagOf(c.Flags, flag)
		if !ok {
			return false
		}
		data, err := s.t.read(c.onHost(name))
		return err == nil && yaml.Unmarshal(data, into) == nil
	}
	add := func(key string, value any, at string) {
		if value != nil && facts.KeepsFlag(c.Name, key) {
			c.Flags = facts.AddFlag(c.Flags, facts.Flag{Name: key, Value: clean(fmt.Sprint(value)), Path: at})
		}
	}
	switch c.Name {
	case "etcd":
		var conf map[string]any
		if !read("config-file", &conf) || conf == nil {
			return
		}
		c.Flags, c.ConfigFile = nil, false
		for _, key := range sorted(conf) {
			section, nested := conf[key].(map[string]any)
			if !nested {
				add(key, conf[key], key)
				continue
			}
			prefix := map[string]string{"client-transport-security": "", "peer-transport-security": "peer-"}
			for _, inner := range sorted(section) {
				if p, ok := prefix[key]; ok {
					add(p+inner, section[inner], key+"."+inner)
				}
			}
		}
	case "kube-proxy":
		var conf struct {
			Metrics string `json:"metricsBindAddress"`
			Bind    string `json:"bindAddress"`
		}
		if !read("config", &conf) {
			return
		}
		c.ConfigFile = false // it holds what flags would say
		for key, value := range map[string]string{"metrics-bind-address": conf.Metrics, "bind-address": conf.Bind} {
			if _, given := facts.FlagOf(c.Flags, key); value != "" && !given {
				add(key, value, "config")
			}
		}
	}
}

// etcdData are the folders in which the etcds of this machine keep their data.
func etcdData(found []component) []string {
	var out []string
	for _, c := range found {
		dir, ok := facts.FlagOf(c.Flags, "data-dir")
		if c.Name == "etcd" && ok && strings.HasPrefix(dir, "/") && c.onHost != nil {
			out = append(out, c.onHost(dir))
		}
	}
	return out
}
