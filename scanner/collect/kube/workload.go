package kube

import (
	"hash/maphash"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// work is a workload on its way: the reduced facts, and what the joins ask about.
type work struct {
	ref       ref
	key       string    // for fingerprints, where it differs from the id
	declared  bool      // the object names its namespace
	labels    labelList // of the pods
	at        Place
	facts     *facts.Workload
	spec      uint64 // hash of what a pod of it must equal
	component string
	// nodes are those that its pods run on; pinned is the spec's own nodeName of
	// a bare pod, which is the same thing.
	nodes   nameSet
	images  nameSet // what runs: "repo@sha256:…", with the platform where images are tracked
	running bool
	// drift is the workload whose template this pod differs from.
	drift *work
}

// driftKey groups the pods that differ from their controller's template alike.
type driftKey struct {
	owner ref
	spec  uint64
}

// spareOwner is a ReplicaSet or Job that was taken for a part of its owner; if
// the owner is not there, it is the top controller itself.
type spareOwner struct {
	self, owner ref
	work        *work
}

// mirrorAnnotation marks the API's copy of a static pod.
const mirrorAnnotation = "kubernetes.io/config.mirror"

// addTemplate takes an object that makes pods. prefix is where its template stands.
func (s *Set) addTemplate(kind string, meta *metav1.ObjectMeta, tpl *corev1.PodTemplateSpec, prefix string, claims []corev1.PersistentVolumeClaim, at Place) {
	r := ref{kind, name{s.intern(s.namespaceOf(meta)), s.intern(meta.Name)}}
	w := &work{ref: r, declared: meta.Namespace != "", at: at, labels: s.labelList(tpl.Labels)}
	owner, owned := controllerOf(meta, r.namespace)
	if owned {
		owner.name.name, owner.kind = s.intern(owner.name.name), s.intern(owner.kind)
		s.owners[r] = owner
		if s.byName[owner] != nil {
			return // a ReplicaSet of a Deployment: the Deployment's template is judged
		}
	}
	w.facts = s.podFacts(&tpl.Spec, &tpl.ObjectMeta, s.intern(prefix+".spec"), s.intern(prefix+".metadata"))
	s.claimTemplates(w.facts, &tpl.Spec, claims)
	w.facts.Class = inherit(w.facts.Class, classify(meta.Labels, meta.Annotations))
	w.spec = s.specHash(w.facts)
	w.component = component(r, w.facts)
	w.facts.Kind = kind
	if kind == "DaemonSet" {
		s.components(&tpl.Spec, w, "")
		s.networkPlugin(r, w.facts, &tpl.Spec)
	}
	if owned {
		s.spare = append(s.spare, spareOwner{self: r, owner: owner, work: w})
		return
	}
	s.keepWork(w)
}

// keepWork books a top controller or bare pod. Where a set of manifests holds
// the same object twice, both are judged.
func (s *Set) keepWork(w *work) {
	s.works = append(s.works, w)
	if _, ok := s.byName[w.ref]; !ok {
		s.byName[w.ref] = w
	}
}

// settleOwners decides, once all controllers were added, which owned ones stand
// for themselves because their owner is of a kind that postscan does not read
// (an Argo Rollout), or is gone.
func (s *Set) settleOwners() {
	parts := map[ref]bool{}
	for _, sp := range s.spare {
		parts[sp.self] = true
	}
	for _, sp := range s.spare {
		if s.byName[sp.owner] != nil || parts[sp.owner] {
			continue
		}
		delete(s.owners, sp.self)
		s.keepWork(sp.work)
	}
	s.spare = nil
}

// controllerOf returns the object that controls this one.
func controllerOf(meta *metav1.ObjectMeta, namespace string) (ref, bool) {
	for i := range meta.OwnerReferences {
		o := &meta.OwnerReferences[i]
		if o.Controller != nil && *o.Controller {
			return ref{o.Kind, name{namespace, o.Name}}, true
		}
	}
	return ref{}, false
}

// top walks from an object up to the controller that stands for it.
func (s *Set) top(r ref) ref {
	for range 8 { // no real chain is longer; a cycle ends here
		next, ok := s.owners[r]
		if !ok {
			return r
		}
		r = next
	}
	return r
}

// addPod takes a pod. One that equals its controller's template is counted
// there; any other becomes a workload of its own.
func (s *Set) addPod(p *corev1.Pod, at Place) {
	s.seal()
	namespace := s.namespaceOf(&p.ObjectMeta)
	ended := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	r := ref{"Pod", name{namespace, p.Name}}
	_, mirror := p.Annotations[mirrorAnnotation]
	owner, owned := controllerOf(&p.ObjectMeta, namespace)
	if !owned || mirror {
		s.addBarePod(p, r, at, mirror, ended)
		return
	}
	if ended {
		return // what is left of a finished Job is no instance
	}
	owner = s.top(owner)
	w := s.byName[owner]
	if w == nil { // its owner is of a kind that is not read, or is gone
		s.addOrphan(p, r, owner, at)
		return
	}
	s.bookLabels(w, p.Labels)
	f := s.podFacts(&p.Spec, &p.ObjectMeta, w.facts.PodPath, w.facts.MetaPath)
	spec := s.specHash(f)
	if spec == w.spec {
		s.instance(w, p)
		return
	}
	s.addDrift(p, r, w, spec, at)
}

// addBarePod books a pod that nobody owns.
func (s *Set) addBarePod(p *corev1.Pod, r ref, at Place, mirror, ended bool) {
	f := s.podFacts(&p.Spec, &p.ObjectMeta, "spec", "metadata")
	w := s.podWork(p, r, at, f)
	w.component = component(r, f)
	f.Static = mirror
	if p.GenerateName != "" {
		w.key = r.namespace + "/Pod/" + strings.Clone(p.GenerateName)
	}
	f.Placement.NodeName = f.Placement.NodeName && !s.opts.Live // the scheduler fills it in
	s.controlPlane(p, w)
	if !ended {
		s.instance(w, p)
	}
	if !s.early(w) {
		s.keepWork(w)
	}
}

// early gives a bare pod away at once, where nothing that comes later can change
// what is known of it: it belongs to no tenant or sensitivity, whose neighbours
// would be other pods, and not to the system, whose static pods tell of the
// cluster.
func (s *Set) early(w *work) bool {
	if s.opts.Early == nil || systemNamespace(w.ref.namespace) {
		return false
	}
	if c := s.classOf(w); c.Tenant != "" || c.Sensitivity != "" {
		return false
	}
	s.book(w)
	if s.keep(w.ref.namespace, "Pod") {
		r := s.workload(w)
		r.Normalise()
		s.opts.Early(r)
	}
	return true
}

// podWork makes the workload of a pod.
func (s *Set) podWork(p *corev1.Pod, r ref, at Place, f *facts.Workload) *work {
	r.namespace, r.name.name = s.intern(r.namespace), strings.Clone(r.name.name)
	f.Kind = "Pod"
	return &work{ref: r, declared: p.Namespace != "", at: at, labels: s.labelList(p.Labels), facts: f, spec: s.specHash(f)}
}

// addOrphan books a pod of a controller that is not read: the first of them
// stands for the controller, and the others are compared with it.
func (s *Set) addOrphan(p *corev1.Pod, r, owner ref, at Place) {
	owner.kind, owner.namespace, owner.name.name = s.intern(owner.kind), s.intern(owner.namespace), s.intern(owner.name.name)
	f := s.podFacts(&p.Spec, &p.ObjectMeta, "spec", "metadata")
	f.Placement.NodeName = false
	w := s.podWork(p, owner, at, f)
	f.Kind = owner.kind
	w.component = component(r, f)
	s.keepWork(w)
	s.instance(w, p)
}

// addDrift books a pod that differs from its controller's template. Pods that
// differ alike are one resource, named after the first by name.
func (s *Set) addDrift(p *corev1.Pod, r ref, of *work, spec uint64, at Place) {
	key := driftKey{of.ref, spec}
	s.instance(of, p)
	if w, ok := s.drifts[key]; ok {
		if p.Name < w.ref.name.name {
			w.ref.name.name = strings.Clone(p.Name)
		}
		s.instance(w, p)
		return
	}
	f := s.podFacts(&p.Spec, &p.ObjectMeta, "spec", "metadata")
	f.Placement.NodeName = false
	f.Class = inherit(f.Class, of.facts.Class)
	w := s.podWork(p, r, at, f)
	f.Drifted = true
	w.drift, w.key, w.component = of, of.ref.id()+"/pod", of.component
	s.drifts[key] = w
	s.works = append(s.works, w)
	s.instance(w, p)
}

// instance books one pod of a workload.
func (s *Set) instance(w *work, p *corev1.Pod) {
	if !s.opts.Live {
		return
	}
	w.running = true
	if p.Spec.NodeName != "" {
		w.nodes.add(s.intern(p.Spec.NodeName))
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for i := range list {
			id := imageDigest(list[i].ImageID)
			untold := id == "" && list[i].ImageID != "" && s.opts.TrackImages
			if untold {
				id = list[i].Image
			}
			if id != "" {
				id = s.intern(id)
				if s.opts.TrackImages {
					id = s.trackImage(w, p, id, untold)
				}
				w.images.add(id)
			}
		}
	}
}

// component names the well-known system component that a workload is. The name
// alone is not enough: the namespace and an image of it must fit too.
func component(r ref, f *facts.Workload) string {
	for i := range components {
		c := &components[i]
		if !slices.Contains(c.namespaces, r.namespace) || !strings.HasPrefix(r.name.name, c.name) {
			continue
		}
		for j := range f.Containers {
			repo := f.Containers[j].Image.Repository
			base := repo[strings.LastIndexByte(repo, '/')+1:]
			if slices.Contains(c.images, base) {
				return c.component
			}
		}
	}
	return ""
}

// specHash is a hash of what a pod has in common with the template that it was
// made from. Left out is what the API server, admission plugins and controllers
// put in: paths, resources (LimitRange), tolerations and node names, names of
// claims, annotations that mirror fields, the order of volumes, and the host
// ports that pods in the host's network get and templates do not.
func (s *Set) specHash(f *facts.Workload) uint64 {
	c := *f
	c.PodPath, c.MetaPath, c.Kind = "", "", ""
	c.Drifted, c.Static = false, false
	c.Placement = facts.Placement{}
	c.SeccompNotes = nil
	c.AppArmorNotes = nil
	c.Class = facts.Classification{}
	c.Identity.Declared = false
	c.Volumes = slices.Clone(c.Volumes)
	slices.SortFunc(c.Volumes, func(a, b facts.Volume) int { return strings.Compare(a.Name, b.Name) })
	if c.HostNetwork {
		c.Containers = slices.Clone(c.Containers)
		for i := range c.Containers {
			c.Containers[i].Ports = slices.Clone(c.Containers[i].Ports)
			for j := range c.Containers[i].Ports {
				c.Containers[i].Ports[j].HostPort = 0
			}
		}
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	hashValue(&h, reflect.ValueOf(c))
	return h.Sum64()
}

// skipped are the fields, by name, that specHash leaves out at any depth.
var skipped = map[string]bool{"Path": true, "TolerationPath": true, "Resources": true, "VolumeMode": true, "Object": true}

// hashValue feeds a plain struct to a hash.
func hashValue(h *maphash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		t := v.Type()
		for i := range v.NumField() {
			if !skipped[t.Field(i).Name] {
				hashValue(h, v.Field(i))
			}
		}
	case reflect.Slice:
		maphash.WriteComparable(h, v.Len())
		for i := range v.Len() {
			hashValue(h, v.Index(i))
		}
	case reflect.String:
		_, _ = h.WriteString(v.String())
		_ = h.WriteByte(0)
	case reflect.Bool:
		maphash.WriteComparable(h, v.Bool())
	case reflect.Int, reflect.Int64:
		maphash.WriteComparable(h, v.Int())
	default:
		panic("kube: the workload's facts hold a " + v.Kind().String() + ", which specHash does not know")
	}
}

// nameSet is a small set of names, sorted: most pods have one node and few
// images, and a map for each would weigh more than the pod.
type nameSet []string

func (n *nameSet) add(v string) {
	if i, found := slices.BinarySearch(*n, v); !found {
		*n = slices.Insert(*n, i, v)
	}
}

// labelList is a set of labels as key, value, key, value. It implements
// [labels.Labels] at a fraction of a map's weight.
type labelList []string

// labelList makes one of a map.
func (s *Set) labelList(m map[string]string) labelList {
	if len(m) == 0 {
		return nil
	}
	out := make(labelList, 0, 2*len(m))
	for k, v := range m {
		out = append(out, s.intern(k), s.intern(v))
	}
	return out
}

// Lookup implements [labels.Labels].
func (l labelList) Lookup(label string) (string, bool) {
	for i := 0; i+1 < len(l); i += 2 {
		if l[i] == label {
			return l[i+1], true
		}
	}
	return "", false
}

// Has implements [labels.Labels].
func (l labelList) Has(label string) bool { _, ok := l.Lookup(label); return ok }

// Get implements [labels.Labels].
func (l labelList) Get(label string) string { v, _ := l.Lookup(label); return v }
