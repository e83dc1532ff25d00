package kube

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// Flags that checks ask about, by component. Others are not kept: an unknown
// flag might hold a secret.
var (
	apiServerKnown = []string{
		"anonymous-auth", "authentication-config", "token-auth-file", "basic-auth-file", "authorization-mode", "authorization-config",
		"enable-admission-plugins", "disable-admission-plugins", "admission-control", "admission-control-config-file", "kubelet-certificate-authority",
		"kubelet-client-certificate", "kubelet-client-key", "kubelet-https", "insecure-port", "insecure-bind-address", "secure-port", "audit-log-path",
		"audit-webhook-config-file", "audit-policy-file", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize",
		"encryption-provider-config", "profiling", "service-account-lookup", "service-account-key-file", "service-account-signing-key-file",
		"service-account-extend-token-expiration", "tls-min-version", "tls-cipher-suites", "tls-cert-file", "tls-private-key-file",
		"etcd-servers", "etcd-certfile", "etcd-keyfile", "etcd-cafile", "client-ca-file", "bind-address", "feature-gates", "oidc-issuer-url",
		"request-timeout", "allow-privileged", "requestheader-client-ca-file",
	}
	managerKnown = []string{
		"profiling", "use-service-account-credentials", "service-account-private-key-file", "root-ca-file", "bind-address", "feature-gates",
		"terminated-pod-gc-threshold", "tls-min-version", "tls-cipher-suites", "authentication-kubeconfig", "config",
	}
	schedulerKnown = []string{"profiling", "bind-address", "config", "tls-min-version", "tls-cipher-suites"}
	etcdKnown      = []string{
		"cert-file", "key-file", "client-cert-auth", "auto-tls", "trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-client-cert-auth",
		"peer-auto-tls", "peer-trusted-ca-file", "listen-client-urls", "advertise-client-urls", "listen-peer-urls", "listen-metrics-urls", "data-dir",
		"cipher-suites", "tls-min-version", "config-file",
	}
	proxyKnown = []string{"metrics-bind-address", "config", "bind-address", "hostname-override", "profiling"}
	k3sKnown   = []string{
		"server", "agent", "write-kubeconfig-mode", "secrets-encryption", "protect-kernel-defaults", "disable-network-policy", "disable",
		"kube-apiserver-arg", "kubelet-arg", "kube-controller-manager-arg", "selinux", "token-file", "agent-token-file", "agent-token", "token", "profile",
		"flannel-backend", "cluster-init", "datastore-endpoint", "tls-san", "rootless",
	}
)

// valueless are flags whose value is a secret or may hold one: only that they are given is kept.
var valueless = []string{"token", "agent-token", "datastore-endpoint"}

// parseFlags reads a command line. base is where it stands; known limits what
// is kept. A flag that is given twice has its values joined by commas.
func parseFlags(args []string, base string, known []string) []facts.Flag {
	var out []facts.Flag
	for i := 0; i < len(args); i++ {
		flag, ok := strings.CutPrefix(args[i], "-")
		path := keyIndex(base, i)
		if !ok {
			if i == 0 && slices.Contains(known, args[0]) { // k3s: the sub-command
				out = append(out, facts.Flag{Name: args[0], Value: "true", Path: path})
			}
			continue
		}
		flag = strings.TrimPrefix(flag, "-")
		key, value, given := strings.Cut(flag, "=")
		if !given {
			value = "true"
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				value = args[i+1]
				i++
			}
		}
		if !slices.Contains(known, key) {
			continue
		}
		if slices.Contains(valueless, key) {
			value = "(given)"
		}
		if at := slices.IndexFunc(out, func(f facts.Flag) bool { return f.Name == key }); at >= 0 {
			out[at].Value += "," + strings.Clone(value)
			continue
		}
		out = append(out, facts.Flag{Name: strings.Clone(key), Value: strings.Clone(value), Path: path})
	}
	return out
}

// flagOf looks a flag up.
func flagOf(flags []facts.Flag, name string) (string, bool) {
	for i := range flags {
		if flags[i].Name == name {
			return flags[i].Value, true
		}
	}
	return "", false
}

// controlPlane recognises the static pods of a control plane, and kube-proxy,
// and keeps their flags.
func (s *Set) controlPlane(p *corev1.Pod, w *work) {
	if p.Annotations[mirrorAnnotation] == "" && s.opts.Live && !systemNamespace(w.ref.namespace) {
		return
	}
	s.components(&p.Spec, w, p.Spec.NodeName)
}

// components keeps the flags of control-plane containers in a pod spec.
func (s *Set) components(spec *corev1.PodSpec, w *work, where string) {
	for i := range spec.Containers {
		c := &spec.Containers[i]
		repo := imageReference(c.Image).Repository
		base := repo[strings.LastIndexByte(repo, '/')+1:]
		into, known := s.cluster.component(c.Name, base)
		if into == nil {
			continue
		}
		list, field := c.Command, "command"
		flags := parseFlags(list, w.facts.PodPath+"."+keyIndex("containers", i)+"."+field, known)
		flags = append(flags, parseFlags(c.Args, w.facts.PodPath+"."+keyIndex("containers", i)+".args", known)...)
		comp := facts.Component{Name: c.Name, Where: where, Version: strings.TrimPrefix(imageReference(c.Image).Tag, "v"), Flags: flags}
		if w.at.File != "" {
			comp.Where = w.at.File
		}
		for _, f := range []string{"config", "config-file", "authentication-config", "authorization-config"} {
			if _, ok := flagOf(flags, f); ok {
				comp.ConfigFile = true
			}
		}
		for j := range spec.Volumes {
			if h := spec.Volumes[j].HostPath; h != nil {
				comp.HostPaths = append(comp.HostPaths, strings.Clone(h.Path))
			}
		}
		slices.Sort(comp.HostPaths)
		*into = append(*into, componentAt{comp, w.at})
	}
}

// componentAt is a component with the place of its manifest.
type componentAt struct {
	facts.Component
	at Place
}
