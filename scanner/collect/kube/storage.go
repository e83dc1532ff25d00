package kube

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// volumeSource is where a PersistentVolume leads.
type volumeSource struct {
	hostPath string // "" where it is not on a node
	kind     string // as written for hostPath: Directory …
	mode     string // Block or Filesystem
	driver   string
}

func (s *Set) addVolume(o *corev1.PersistentVolume) {
	v := volumeSource{mode: "Filesystem"}
	if o.Spec.VolumeMode != nil {
		v.mode = s.intern(string(*o.Spec.VolumeMode))
	}
	switch {
	case o.Spec.HostPath != nil:
		v.hostPath = nodePath(strings.Clone(o.Spec.HostPath.Path))
		if o.Spec.HostPath.Type != nil {
			v.kind = s.intern(string(*o.Spec.HostPath.Type))
		}
	case o.Spec.Local != nil:
		v.hostPath = nodePath(strings.Clone(o.Spec.Local.Path))
	case o.Spec.CSI != nil:
		v.driver = s.intern(o.Spec.CSI.Driver)
	}
	if c := o.Spec.ClaimRef; c != nil {
		s.volumes[name{s.intern(c.Namespace), s.intern(c.Name)}] = v
	}
	s.volumeNames[strings.Clone(o.Name)] = v
}

// addClaim books a claim of a set of manifests that names its volume; in a
// cluster the volume names its claim.
func (s *Set) addClaim(o *corev1.PersistentVolumeClaim) {
	n := s.namespaceOf(&o.ObjectMeta)
	s.count(n, "PersistentVolumeClaim")
	if o.Spec.VolumeName != "" {
		s.claims[strings.Clone(o.Spec.VolumeName)] = name{s.intern(n), s.intern(o.Name)}
	}
}

// settleClaims joins the claims of manifests with their volumes.
func (s *Set) settleClaims() {
	for pv, claim := range s.claims {
		if v, ok := s.volumeNames[pv]; ok {
			s.volumes[claim] = v
		}
	}
}

// joinVolumes follows claims to PersistentVolumes on a node, and Secrets to
// their types. It changes v, which is a copy.
func (s *Set) joinVolumes(w *work, v *facts.Volume) {
	switch v.Type {
	case "persistentVolumeClaim":
		src, ok := s.volumes[name{w.ref.namespace, v.Object}]
		if v.Object == "" { // a claim template: its claims are named NAME-SET-ORDINAL
			src, ok = s.volumes[name{w.ref.namespace, v.Name + "-" + w.ref.name.name + "-0"}]
		}
		if !ok {
			return
		}
		v.VolumeMode, v.Driver = src.mode, src.driver
		if src.hostPath != "" {
			v.HostPath, v.HostPathType, v.Through = src.hostPath, src.kind, "persistentVolume"
		}
	case "secret":
		t, ok := s.secrets[name{w.ref.namespace, v.Object}]
		v.TokenSecret = ok
		if ok {
			t.mounted = true
			s.secrets[name{w.ref.namespace, v.Object}] = t
		}
	}
}

// tokenSecret is a Secret of type kubernetes.io/service-account-token.
type tokenSecret struct {
	namespace, account string
	created            time.Time
	lastUsed           time.Time
	mounted            bool
}

// addSecret reduces a Secret to its type and annotations. Of a bootstrap token
// it reads the expiration and what it may be used for; nothing else of its data.
func (s *Set) addSecret(o *corev1.Secret) {
	n := name{s.intern(s.namespaceOf(&o.ObjectMeta)), strings.Clone(o.Name)}
	s.count(n.namespace, "Secret")
	if n == (name{"kube-system", "kubeadmin"}) {
		s.cluster.kubeadmin = true
	}
	switch o.Type {
	case corev1.SecretTypeServiceAccountToken:
		t := tokenSecret{namespace: n.namespace, account: s.intern(o.Annotations[corev1.ServiceAccountNameKey]), created: o.CreationTimestamp.Time}
		t.lastUsed, _ = time.Parse(time.DateOnly, o.Labels["kubernetes.io/legacy-token-last-used"])
		s.secrets[n] = t
	case "bootstrap.kubernetes.io/token":
		s.cluster.bootstrapTokens = append(s.cluster.bootstrapTokens, s.bootstrapToken(o))
	}
}

// bootstrapToken keeps the dates of a join token.
func (s *Set) bootstrapToken(o *corev1.Secret) facts.BootstrapToken {
	t := facts.BootstrapToken{Name: strings.Clone(o.Name), Authenticates: string(secretField(o, "usage-bootstrap-authentication")) == "true"}
	if end, err := time.Parse(time.RFC3339, string(secretField(o, "expiration"))); err == nil {
		t.Expires = true
		t.HoursLeft = int(end.Sub(s.opts.Now).Hours())
		if !o.CreationTimestamp.IsZero() {
			t.LifeHours = int(end.Sub(o.CreationTimestamp.Time).Hours())
		} else {
			t.LifeHours = t.HoursLeft
		}
	}
	return t
}

func secretField(o *corev1.Secret, key string) []byte {
	if v, ok := o.Data[key]; ok {
		return v
	}
	return []byte(o.StringData[key])
}
