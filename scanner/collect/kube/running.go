package kube

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// RunningImage is an image that pods run, by its digest.
type RunningImage struct {
	// Digest is "repository@sha256:…" as the node's runtime reports it. Where the
	// runtime tells no digest that a registry knows, it is the name of the image
	// alone, and Untold is true: which content runs is not known.
	Digest string
	Untold bool
	// Repository is that of Digest in full: "docker.io/library/nginx".
	Repository string
	// Platforms are those of the nodes that run it, "linux/amd64", sorted.
	Platforms []string
	// Workloads are the ids of the resources that run it, sorted.
	Workloads []string
	// PullSecrets are the Secrets that its pods pull with, their own and their
	// service accounts', sorted.
	PullSecrets []PullSecret
}

// PullSecret names a Secret of type kubernetes.io/dockerconfigjson or dockercfg.
type PullSecret struct{ Namespace, Name string }

// runningImage is a RunningImage on its way.
type runningImage struct {
	workloads map[string]bool
	accounts  map[name]bool
	secrets   map[PullSecret]bool
	platforms map[string]bool
	untold    bool
}

// imageDigest reads the image id of a container's status. A bare digest, which
// old runtimes report, is that of the configuration and names no image.
func imageDigest(id string) string {
	if i := strings.LastIndex(id, "://"); i >= 0 { // docker-pullable://
		id = id[i+3:]
	}
	if i := strings.Index(id, "@sha256:"); i > 0 {
		return id
	}
	return ""
}

// repository is that of an image in full.
func repository(image string) string {
	r := imageReference(image)
	return r.Registry + "/" + r.Repository
}

// trackImage books that a pod of a workload runs an image.
func (s *Set) trackImage(w *work, p *corev1.Pod, digest string, untold bool) {
	if !s.opts.TrackImages || !s.keep(w.ref.namespace, w.facts.Kind) {
		return
	}
	im := s.running[digest]
	if im == nil {
		im = &runningImage{workloads: map[string]bool{}, accounts: map[name]bool{}, secrets: map[PullSecret]bool{}, platforms: map[string]bool{}, untold: untold}
		s.running[digest] = im
	}
	im.workloads[w.ref.id()] = true
	if n := s.nodes[p.Spec.NodeName]; n != nil && n.facts.Architecture != "" {
		im.platforms[n.facts.OS+"/"+n.facts.Architecture] = true
	}
	im.accounts[name{w.ref.namespace, w.facts.Identity.ServiceAccount}] = true
	for _, ref := range p.Spec.ImagePullSecrets {
		im.secrets[PullSecret{w.ref.namespace, s.intern(ref.Name)}] = true
	}
}

// RunningImages lists every distinct image that runs, by digest. The Set has to
// track them.
func (s *Set) RunningImages() []RunningImage {
	var out []RunningImage
	for _, digest := range slices.Sorted(maps.Keys(s.running)) {
		im := s.running[digest]
		for n := range im.accounts {
			if acc := s.accounts[n]; acc != nil {
				for _, secret := range acc.pull {
					im.secrets[PullSecret{n.namespace, secret}] = true
				}
			}
		}
		out = append(out, RunningImage{
			Digest: digest, Repository: repository(digest), Untold: im.untold, Platforms: slices.Sorted(maps.Keys(im.platforms)), Workloads: slices.Sorted(maps.Keys(im.workloads)),
			PullSecrets: slices.SortedFunc(maps.Keys(im.secrets), func(a, b PullSecret) int {
				return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
			}),
		})
	}
	return out
}
