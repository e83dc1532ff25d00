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
	// Digest is "sha256:…" as the node's runtime reports it. Where the runtime
	// tells no digest that a registry knows, it is the name of the image alone, and
	// Untold is true: which content runs is not known.
	Digest string
	Untold bool
	// References are the names under which it runs, sorted; more than one where it
	// runs under several repositories. The content is the same.
	References []ImageReference
	// Platforms are those of the nodes that run it, "linux/amd64", sorted.
	Platforms []string
	// Workloads are the ids of the resources that run it, sorted.
	Workloads []string
}

// ImageReference is one name of an image that runs.
type ImageReference struct {
	// Name is "repository@sha256:…"; of an untold image its name alone.
	Name string
	// Repository is that of Name in full: "docker.io/library/nginx".
	Repository string
	// PullSecrets are the Secrets that its pods pull with, their own and their
	// service accounts', sorted.
	PullSecrets []PullSecret
}

// PullSecret names a Secret of type kubernetes.io/dockerconfigjson or dockercfg.
type PullSecret struct{ Namespace, Name string }

// runningImage is a RunningImage on its way.
type runningImage struct {
	workloads  map[string]bool
	platforms  map[string]bool
	references map[string]*runningReference // by name
	untold     bool
}

// runningReference is an ImageReference on its way.
type runningReference struct {
	accounts map[name]bool
	secrets  map[PullSecret]bool
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

// OnPlatform names an image on one platform, as workloads link to it; the
// reference alone where the platform is not known.
func OnPlatform(reference, platform string) string {
	if platform == "" {
		return reference
	}
	return reference + " (" + platform + ")"
}

// trackImage books that a pod of a workload runs an image, and returns what the
// workload links to.
func (s *Set) trackImage(w *work, p *corev1.Pod, reference string, untold bool) string {
	platform := ""
	if n := s.nodes[p.Spec.NodeName]; n != nil && n.facts.Architecture != "" {
		platform = s.intern(n.facts.OS + "/" + n.facts.Architecture)
	}
	to := s.intern(OnPlatform(reference, platform))
	if !s.keep(w.ref.namespace, w.facts.Kind) {
		return to
	}
	digest := reference
	if _, after, found := strings.Cut(reference, "@"); found {
		digest = after
	}
	im := s.running[digest]
	if im == nil {
		im = &runningImage{workloads: map[string]bool{}, platforms: map[string]bool{}, references: map[string]*runningReference{}, untold: untold}
		s.running[digest] = im
	}
	im.workloads[w.ref.id()] = true
	if platform != "" {
		im.platforms[platform] = true
	}
	as := im.references[reference]
	if as == nil {
		as = &runningReference{accounts: map[name]bool{}, secrets: map[PullSecret]bool{}}
		im.references[reference] = as
	}
	as.accounts[name{w.ref.namespace, w.facts.Identity.ServiceAccount}] = true
	for _, ref := range p.Spec.ImagePullSecrets {
		as.secrets[PullSecret{w.ref.namespace, s.intern(ref.Name)}] = true
	}
	return to
}

// RunningImages lists every distinct image that runs, by digest. The Set has to
// track them.
func (s *Set) RunningImages() []RunningImage {
	var out []RunningImage
	for _, digest := range slices.Sorted(maps.Keys(s.running)) {
		im := s.running[digest]
		running := RunningImage{Digest: digest, Untold: im.untold, Platforms: slices.Sorted(maps.Keys(im.platforms)), Workloads: slices.Sorted(maps.Keys(im.workloads))}
		for _, n := range slices.Sorted(maps.Keys(im.references)) {
			running.References = append(running.References, ImageReference{Name: n, Repository: repository(n), PullSecrets: s.pullSecretsOf(im.references[n])})
		}
		out = append(out, running)
	}
	return out
}

// pullSecretsOf adds the Secrets of the service accounts to those of the pods.
func (s *Set) pullSecretsOf(r *runningReference) []PullSecret {
	for n := range r.accounts {
		if acc := s.accounts[n]; acc != nil {
			for _, secret := range acc.pull {
				r.secrets[PullSecret{n.namespace, secret}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(r.secrets), func(a, b PullSecret) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
}
