package kube

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

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
		into := s.cluster.component(c.Name, base)
		if into == nil {
			continue
		}
		list, field := c.Command, "command"
		flags := facts.ParseFlags(c.Name, list, w.facts.PodPath+"."+keyIndex("containers", i)+"."+field)
		flags = append(flags, facts.ParseFlags(c.Name, c.Args, w.facts.PodPath+"."+keyIndex("containers", i)+".args")...)
		if c.Name == "etcd" { // it takes its flags as variables too
			for j := range c.Env {
				e := &c.Env[j]
				flag, ok := strings.CutPrefix(e.Name, "ETCD_")
				flag = strings.ReplaceAll(strings.ToLower(flag), "_", "-")
				if _, given := facts.FlagOf(flags, flag); ok && !given && facts.KeepsFlag("etcd", flag) {
					path := w.facts.PodPath + "." + keyIndex("containers", i) + "." + keyIndex("env", j)
					flags = facts.AddFlag(flags, facts.Flag{Name: flag, Value: e.Value, Path: path})
				}
			}
		}
		comp := facts.Component{Name: c.Name, Where: where, Version: strings.TrimPrefix(imageReference(c.Image).Tag, "v"), Flags: flags}
		if w.at.File != "" {
			comp.Where = w.at.File
		}
		comp.ConfigFile = setElsewhere(c, flags)
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

// elsewhereFlags name files that hold what other flags would.
var elsewhereFlags = []string{"config", "config-file", "openshift-config"}

// setElsewhere: what the flags of a container leave out may be set in another place.
func setElsewhere(c *corev1.Container, flags []facts.Flag) bool {
	for _, f := range elsewhereFlags {
		if _, ok := facts.FlagOf(flags, f); ok {
			return true
		}
	}
	if c.Name == "etcd" && len(c.EnvFrom) > 0 {
		return true
	}
	// A shell puts the command line together, or the image's own entry point does.
	if len(c.Command) == 0 {
		return len(c.Args) == 0
	}
	return strings.HasSuffix(c.Command[0], "sh") || strings.HasSuffix(c.Command[0], ".py")
}

// apiProxy: the container runs kubectl proxy and listens beyond loopback, which
// is its default.
func apiProxy(c *corev1.Container) bool {
	words := slices.Concat(c.Command, c.Args)
	if len(c.Command) == 0 && strings.Contains(imageReference(c.Image).Repository, "kubectl") {
		words = slices.Insert(words, 0, "kubectl")
	}
	words = strings.FieldsFunc(strings.Join(words, " "), func(r rune) bool { return strings.ContainsRune(" \t\n=;&|'\"", r) })
	at := slices.IndexFunc(words, func(w string) bool { return w == "kubectl" || strings.HasSuffix(w, "/kubectl") })
	if at < 0 || !slices.Contains(words[at:], "proxy") {
		return false
	}
	address := slices.Index(words, "--address")
	return address >= 0 && address+1 < len(words) && beyondLoopback("tcp://"+hostPort(words[address+1]))
}

// hostPort puts an IPv6 address in brackets, as URLs want it.
func hostPort(address string) string {
	if strings.Count(address, ":") > 1 && !strings.HasPrefix(address, "[") {
		return "[" + address + "]"
	}
	return address
}
