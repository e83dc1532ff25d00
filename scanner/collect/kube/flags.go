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
		image := imageReference(c.Image)
		line := facts.CommandLine{Command: c.Command, Args: c.Args, EnvFrom: len(c.EnvFrom) > 0, Path: w.facts.PodPath + "." + keyIndex("containers", i)}
		for j := range c.Env {
			line.Env = append(line.Env, [2]string{c.Env[j].Name, c.Env[j].Value})
		}
		into := s.cluster.component(c.Name)
		comp, ok := facts.ComponentOf(c.Name, image.Repository, line)
		if !ok {
			comp, ok = s.openShiftComponent(w.ref.namespace, c, line.Path)
			if ok && w.facts.Static {
				w.component = comp.Name
			}
		}
		if into == nil || !ok {
			continue
		}
		comp.Where, comp.Version = where, strings.TrimPrefix(image.Tag, "v")
		if w.at.File != "" {
			comp.Where = w.at.File
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
