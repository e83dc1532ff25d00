package kube

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/postscan/postscan/scanner/facts"
)

// configMap is a ConfigMap on its way: what the detector found in it.
type configMap struct {
	ref      ref
	declared bool
	system   bool // Kubernetes or OpenShift puts it into every namespace
	secrets  []facts.ConfigMapSecret
	at       Place
}

// addConfigMap looks for credentials in a ConfigMap and keeps what was found,
// never the data. A few well-known ones are also read for what they configure.
func (s *Set) addConfigMap(o *corev1.ConfigMap, at Place) {
	r := ref{"ConfigMap", name{s.intern(s.namespaceOf(&o.ObjectMeta)), strings.Clone(o.Name)}}
	system := o.Name == "kube-root-ca.crt" || o.Name == "openshift-service-ca.crt"
	if !system {
		s.count(r.namespace, "ConfigMap")
	}
	s.wellKnownConfig(o, r)
	c := &configMap{ref: r, declared: o.Namespace != "", system: system, at: at}
	look := func(field, key, value string, binary bool) {
		for _, d := range s.detect(DetectInput{Where: "file", Name: key, Value: value}) {
			c.secrets = append(c.secrets, facts.ConfigMapSecret{
				Key: strings.Clone(key), Binary: binary, Line: d.Line, Rule: d.Rule, Category: d.Category, Title: d.Title,
				Severity: d.Severity, Length: d.Length, Path: FieldPath(field, strings.Clone(key)),
			})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(o.Data)) {
		look("data", k, o.Data[k], false)
	}
	for _, k := range slices.Sorted(maps.Keys(o.BinaryData)) {
		look("binaryData", k, string(o.BinaryData[k]), true)
	}
	if len(c.secrets) > 0 || !s.opts.Live {
		s.configs = append(s.configs, c)
		return
	}
	s.configs = append(s.configs, &configMap{ref: r, declared: true, system: system}) // its place is not asked for
}

// wellKnownConfig reads the ConfigMaps that configure what checks ask about.
func (s *Set) wellKnownConfig(o *corev1.ConfigMap, r ref) {
	switch {
	case r.name == name{"kube-system", "aws-auth"}:
		s.cluster.awsAuth(o)
	case r.name == name{"kube-system", "kube-proxy"}:
		var conf struct {
			MetricsBindAddress string `json:"metricsBindAddress"`
		}
		if text := o.Data["config.conf"]; yaml.Unmarshal([]byte(text), &conf) == nil && text != "" {
			s.cluster.proxyMetrics, s.cluster.proxyConfig = conf.MetricsBindAddress, true
		}
	case r.name == name{"kube-system", "kubeadm-config"}:
		s.cluster.hint("kubeadm")
	case o.Name == "config" && openShiftComponents[r.namespace] != "":
		s.cluster.openShiftConfig(o)
	case r.name == name{"linkerd", "linkerd-config"}:
		var conf struct {
			Proxy struct {
				DefaultInboundPolicy string `json:"defaultInboundPolicy"`
			} `json:"proxy"`
		}
		if yaml.Unmarshal([]byte(o.Data["values"]), &conf) == nil {
			s.cluster.linkerdPolicy = strings.Clone(conf.Proxy.DefaultInboundPolicy)
		}
	}
	if v, ok := o.Data["allow-snippet-annotations"]; ok {
		s.cluster.snippetConfigs[r.name] = v
	} else if strings.Contains(o.Name, "nginx") && strings.Contains(o.Name, "controller") {
		s.cluster.snippetConfigs[r.name] = unset
	}
}

// awsAuth reads EKS's mapping of cloud identities.
func (c *clusterFacts) awsAuth(o *corev1.ConfigMap) {
	var entries []struct {
		RoleARN  string   `json:"rolearn"`
		UserARN  string   `json:"userarn"`
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	}
	for _, key := range []string{"mapRoles", "mapUsers"} {
		entries = nil
		if yaml.Unmarshal([]byte(o.Data[key]), &entries) != nil {
			continue
		}
		for _, e := range entries {
			m := facts.IdentityMapping{From: e.RoleARN + e.UserARN, User: e.Username, Groups: e.Groups, Path: keyIndex("mappings", len(c.mappings))}
			c.mappings = append(c.mappings, m)
			if e.Username != "" {
				c.mapped[subjectKey{"User", name{"", e.Username}}] = true
			}
			for _, g := range e.Groups {
				c.mapped[subjectKey{"Group", name{"", g}}] = true
			}
		}
	}
}

// configResources yields every ConfigMap.
func (s *Set) configResources(yield func(*facts.Resource) bool) bool {
	slices.SortFunc(s.configs, func(a, b *configMap) int { return compareRefs(a.ref, b.ref) })
	for _, c := range s.configs {
		if !s.keep(c.ref.namespace, "ConfigMap") {
			continue
		}
		r := s.resource(facts.KindConfigMap, c.ref, c.at, &facts.ConfigMap{Namespace: s.namespaceView(c.ref.namespace, c.declared), System: c.system, Secrets: c.secrets})
		if s.opts.Detect == nil {
			r.Missing["secrets"] = notAssessed("this scan was given no detector for credentials")
		}
		s.missNamespace(r, c.ref.namespace)
		s.missName(r, c.declared)
		if !yield(r) {
			return false
		}
	}
	return true
}
