package kube

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// openShiftComponents are the containers of OpenShift's static pods by their
// namespace. Their image is named after the release and not after the program,
// so they are recognised by the program that they run. (The manifests: pod.yaml
// of cluster-kube-apiserver-operator, cluster-kube-controller-manager-operator,
// cluster-kube-scheduler-operator and cluster-etcd-operator.)
var openShiftComponents = map[string]string{
	"openshift-kube-apiserver": "kube-apiserver", "openshift-kube-controller-manager": "kube-controller-manager",
	"openshift-kube-scheduler": "kube-scheduler", "openshift-etcd": "etcd",
}

// openShiftComponent reads a container of such a pod. What its command line
// leaves to the file of the ConfigMap "config" is added where that was read; of
// what neither says it is not known whether it is set.
func (s *Set) openShiftComponent(namespace string, c *corev1.Container, path string) (facts.Component, bool) {
	program := openShiftComponents[namespace]
	if program == "" || c.Name != program {
		return facts.Component{}, false
	}
	words, field := openShiftCommand(program, c)
	if words == nil {
		return facts.Component{}, false
	}
	out := facts.Component{Name: program, ConfigFile: true}
	env := map[string]string{}
	for i := range c.Env {
		if c.Env[i].ValueFrom == nil {
			env[c.Env[i].Name] = c.Env[i].Value
		}
	}
	for _, f := range facts.ParseFlags(program, words, "") {
		f.Path = path + "." + field
		if v, whole := expand(f.Value, env); whole {
			f.Value = v
			out.Flags = facts.AddFlag(out.Flags, f)
		}
	}
	for _, f := range s.cluster.openshiftFlags[namespace] {
		if _, given := facts.FlagOf(out.Flags, f.Name); !given {
			out.Flags = facts.AddFlag(out.Flags, f)
		}
	}
	return out, true
}

// openShiftCommand finds the words behind the program in a command line or in
// the script that it runs, and the field that they stand in; nil where the
// container runs something else.
func openShiftCommand(program string, c *corev1.Container) (words []string, field string) {
	script := strings.ReplaceAll(strings.Join(slices.Concat(c.Command, c.Args), " "), "\\\n", " ")
	for line := range strings.Lines(script) {
		all := strings.Fields(line)
		at := slices.Index(all, program)
		if at < 0 || all[0] == "#" || at+1 == len(all) || !strings.HasPrefix(all[at+1], "-") {
			continue
		}
		if program != "etcd" && (at == 0 || all[at-1] != "hyperkube") {
			continue
		}
		words = all[at+1:]
		if end := slices.IndexFunc(words, func(w string) bool { return strings.ContainsAny(w, "|&;") }); end >= 0 {
			words = words[:end]
		}
		if len(c.Args) > 0 {
			return words, "args"
		}
		return words, "command"
	}
	return nil, ""
}

// variable is how a shell, or the kubelet, writes a variable.
var variable = regexp.MustCompile(`\$(?:\{[A-Za-z_0-9]+\}|\([A-Za-z_0-9]+\)|[A-Za-z_0-9]+)`)

// expand puts variables in; whole is false where one is not known.
func expand(value string, env map[string]string) (out string, whole bool) {
	whole = true
	out = variable.ReplaceAllStringFunc(value, func(v string) string {
		known, ok := env[strings.Trim(v, "${}()")]
		whole = whole && ok
		return known
	})
	return out, whole && !strings.Contains(out, "$")
}

// openShiftConfig keeps of a control plane's configuration the arguments that
// checks ask about: apiServerArguments of a KubeAPIServerConfig and
// extendedArguments of a KubeControllerManagerConfig.
func (c *clusterFacts) openShiftConfig(o *corev1.ConfigMap) {
	program := openShiftComponents[o.Namespace]
	var conf struct {
		API      map[string]any `json:"apiServerArguments"`
		Extended map[string]any `json:"extendedArguments"`
	}
	if program == "" || yaml.Unmarshal([]byte(o.Data["config.yaml"]), &conf) != nil {
		return
	}
	arguments := conf.API
	if program != "kube-apiserver" {
		arguments = conf.Extended
	}
	var flags []facts.Flag
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		if !facts.KeepsFlag(program, name) {
			continue
		}
		var values []string
		switch v := arguments[name].(type) {
		case string:
			values = append(values, v)
		case []any:
			for _, one := range v {
				if text, ok := one.(string); ok {
					values = append(values, text)
				}
			}
		}
		flags = facts.AddFlag(flags, facts.Flag{Name: name, Value: strings.Join(values, ","), Path: o.Namespace + "/ConfigMap/config " + FieldPath("data", "config.yaml")})
	}
	c.openshiftFlags[o.Namespace] = flags
}
