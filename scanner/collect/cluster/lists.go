package cluster

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// lister lists one kind.
type lister struct {
	what  string // "pods", for messages and progress
	topic kube.Topic
	gr    schema.GroupResource
	// optional kinds are absent from many clusters: that is no gap.
	optional bool
	// part is true for a list that is one part of its kind: without it the kind is
	// seen in part.
	part bool
	// pages reads all pages and adds what they hold; it returns the number of objects.
	pages func(ctx context.Context) (int, error)
	// in makes the lister of one namespace, for one of all namespaces; nil where
	// the kind has none.
	in func(namespace string) *lister
}

// page is one page of a list, as generic code needs it.
type page struct {
	meta metav1.ListInterface
	each func(add func(obj any, uid string))
}

// paged reads a list page by page and adds its objects. The next page is on its
// way while one is reduced. A list that expires half-way (410 Gone) goes on
// with the token that the server gives for that, else from the start, leaving
// out what was added before.
func (s *session) paged(ctx context.Context, l *lister, opts metav1.ListOptions, get func(context.Context, metav1.ListOptions) (page, error)) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		page
		err error
	}
	pages := make(chan answer, 1)
	opts.Limit = s.opts.PageSize
	go func() {
		defer close(pages)
		restarts := 0
		for {
			var p page
			err := s.retry(ctx, l.what, func(ctx context.Context) (err error) {
				p, err = get(ctx, opts)
				return err
			})
			if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
				if restarts++; restarts <= 3 {
					opts.Continue = continueToken(err)
					s.opts.Log.Debug("the list expired half-way and goes on", "kind", l.what, "from_start", opts.Continue == "")
					continue
				}
			}
			select {
			case pages <- answer{p, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || p.meta.GetContinue() == "" {
				return
			}
			opts.Continue = p.meta.GetContinue()
		}
	}()
	n := 0
	seen := map[uint64]struct{}{}
	seed := maphash.MakeSeed()
	for a := range pages {
		if a.err != nil {
			return n, a.err
		}
		s.mu.Lock()
		a.each(func(obj any, uid string) {
			h := maphash.String(seed, uid)
			if _, again := seen[h]; again && uid != "" {
				return
			}
			seen[h] = struct{}{}
			n++
			s.set.Add(obj, kube.Place{})
		})
		s.mu.Unlock()
		remaining := int64(-1)
		if r := a.meta.GetRemainingItemCount(); r != nil {
			remaining = *r
		}
		s.progress(Progress{Kind: l.what, Objects: n, Remaining: remaining})
	}
	if err := ctx.Err(); err != nil {
		return n, context.Cause(ctx)
	}
	return n, nil
}

// continueToken is where the server lets an expired list go on; "" from the start.
func continueToken(err error) string {
	if status, ok := err.(apierrors.APIStatus); ok {
		return status.Status().ListMeta.Continue
	}
	return ""
}

func (s *session) progress(p Progress) {
	if s.opts.Progress != nil {
		s.opts.Progress(p)
	}
}

// object is what the generic list needs of a typed object.
type object[T any] interface {
	*T
	metav1.Object
}

// list makes the lister of a typed kind.
func list[T any, P object[T], L metav1.ListInterface](s *session, topic kube.Topic, gr schema.GroupResource, get func(context.Context, metav1.ListOptions) (L, error), items func(L) []T, opts metav1.ListOptions) *lister {
	l := &lister{what: gr.Resource, topic: topic, gr: gr}
	l.pages = func(ctx context.Context) (int, error) {
		return s.paged(ctx, l, opts, func(ctx context.Context, o metav1.ListOptions) (page, error) {
			got, err := get(ctx, o)
			if err != nil {
				return page{}, err
			}
			return page{meta: got, each: func(add func(any, string)) {
				all := items(got)
				for i := range all {
					add(P(&all[i]), string(P(&all[i]).GetUID()))
				}
			}}, nil
		})
	}
	return l
}

// custom makes the lister of a kind that has no type here. It is skipped where
// the server does not offer it.
func (s *session) custom(ns string, topic kube.Topic, group, resource string) *lister {
	gr := schema.GroupResource{Group: group, Resource: resource}
	l := &lister{what: gr.String(), topic: topic, gr: gr, optional: true}
	l.pages = func(ctx context.Context) (int, error) {
		gvr, ok := s.served[gr]
		if !ok {
			return 0, s.dark[group]
		}
		var client = s.dynamic.Resource(gvr).List
		if ns != "" && s.namespaced(gr) {
			client = s.dynamic.Resource(gvr).Namespace(ns).List
		}
		return s.paged(ctx, l, metav1.ListOptions{}, func(ctx context.Context, o metav1.ListOptions) (page, error) {
			got, err := client(ctx, o)
			if err != nil {
				return page{}, err
			}
			return page{meta: got, each: func(add func(any, string)) {
				for i := range got.Items {
					add(&got.Items[i], string(got.Items[i].GetUID()))
				}
			}}, nil
		})
	}
	return l
}

// finish books how a list ended. Only the end of all asking is an error.
func (s *session) finish(l *lister, n int, err error) error {
	s.progress(Progress{Kind: l.what, Objects: n, Remaining: 0, Done: true})
	if err == nil {
		return nil
	}
	if apierrors.IsNotFound(err) && l.optional && !s.offered(l.gr) {
		return nil
	}
	m := missing(l.what, err)
	m.Partial = n > 0 || l.part
	if n > 0 {
		m.Reason = fmt.Sprintf("%s (after %d objects)", m.Reason, n)
	}
	s.mu.Lock()
	s.set.Miss(l.topic, m)
	s.mu.Unlock()
	s.incomplete(l, n, err)
	return nil
}

// incomplete tells the log of a list that is not whole. Of those that are
// refused it is told once, at the end.
func (s *session) incomplete(l *lister, n int, err error) {
	if !denied(err) {
		s.opts.Log.Warn("a list is not complete", "kind", l.what, "objects", n, "error", err)
		return
	}
	s.opts.Log.Debug("a list is refused", "kind", l.what, "objects", n, "error", err)
	s.mu.Lock()
	s.refused = append(s.refused, l.what)
	s.mu.Unlock()
}

// offered says whether the server has a kind in some version; where it did not
// tell, it may.
func (s *session) offered(gr schema.GroupResource) bool {
	_, ok := s.served[gr]
	return ok || s.served == nil || s.dark[gr.Group] != nil
}

// together runs lists several at a time. After the asking has ended, what is
// left is missing.
func (s *session) together(ctx context.Context, parallel int, all []*lister) {
	queue := make(chan *lister)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for l := range queue {
				if ctx.Err() != nil {
					_ = s.finish(l, 0, context.Cause(ctx))
					continue
				}
				s.read(ctx, l)
			}
		})
	}
	for _, l := range all {
		queue <- l
	}
	close(queue)
	wg.Wait()
}

// read reads one list and books how it ended. Where the rights are for single
// namespaces, they are read one by one.
func (s *session) read(ctx context.Context, l *lister) {
	n, err := l.pages(ctx)
	if n == 0 && l.in != nil && denied(err) {
		s.oneByOne(ctx, l, err)
		return
	}
	_ = s.finish(l, n, err)
}

// oneByOne reads a kind namespace by namespace, after the list of all was
// refused. What a namespace refuses too stays unseen.
func (s *session) oneByOne(ctx context.Context, l *lister, refused error) {
	select {
	case <-s.namespacesRead:
	case <-ctx.Done():
	}
	s.mu.Lock()
	names := s.set.NamespaceNames()
	s.mu.Unlock()
	n, read := 0, 0
	var unseen []string
	for _, ns := range names {
		one := l.in(ns)
		one.what = l.what
		got, err := one.pages(ctx)
		n += got
		if err == nil {
			read++
			continue
		}
		unseen = append(unseen, ns)
		if !denied(err) {
			refused = err
		}
	}
	if read == 0 {
		_ = s.finish(l, n, refused)
		return
	}
	s.progress(Progress{Kind: l.what, Objects: n, Remaining: 0, Done: true})
	if len(unseen) == 0 {
		return
	}
	m := missing(l.what, refused)
	m.Partial = true
	m.Reason += " (in " + listed(unseen) + ")"
	s.mu.Lock()
	s.set.Miss(l.topic, m)
	s.mu.Unlock()
	s.incomplete(l, n, refused)
}

// listed names the first of many.
func listed(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more namespaces", strings.Join(names[:most], ", "), len(names)-most)
}

// byNamespace lets the listers of a group be made for one namespace alone, by
// what makes the group.
func (s *session) byNamespace(ns string, all []*lister, group func(ns string) []*lister) []*lister {
	if ns != "" {
		return all
	}
	for i, l := range all {
		if s.ofNamespaces(l.gr) && !l.part {
			l.in = func(ns string) *lister { return group(ns)[i] }
		}
	}
	return all
}

// ofNamespaces says whether the objects of a kind stand in namespaces.
func (s *session) ofNamespaces(gr schema.GroupResource) bool {
	switch gr.Resource {
	case "namespaces", "nodes", "clusterroles", "clusterrolebindings", "persistentvolumes", "runtimeclasses", "certificatesigningrequests":
		return false
	}
	return gr.Group != "admissionregistration.k8s.io" && s.namespaced(gr)
}

// namespaced says whether a custom kind lives in namespaces; the few that do
// not are known.
func (s *session) namespaced(gr schema.GroupResource) bool {
	switch s.kinds[gr] {
	case "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy",
		"ClusterPolicy", "ValidatingPolicy", "ImageValidatingPolicy", "ClusterImagePolicy", "SecurityContextConstraints":
		return false
	}
	return gr.Group != constraintGroup && gr.Group != "config.openshift.io" && gr.Group != "operator.openshift.io"
}

// tokenSecrets lists the legacy token Secrets by their metadata alone.
func (s *session) tokenSecrets(ns string) *lister {
	gr := schema.GroupResource{Resource: "secrets"}
	l := &lister{what: "secrets", topic: kube.Secrets, gr: gr}
	client := s.meta.Resource(corev1.SchemeGroupVersion.WithResource("secrets"))
	get := client.List
	if ns != "" {
		get = client.Namespace(ns).List
	}
	l.pages = func(ctx context.Context) (int, error) {
		opts := metav1.ListOptions{FieldSelector: "type=" + string(corev1.SecretTypeServiceAccountToken)}
		return s.paged(ctx, l, opts, func(ctx context.Context, o metav1.ListOptions) (page, error) {
			got, err := get(ctx, o)
			if err != nil {
				return page{}, err
			}
			return page{meta: got, each: func(add func(any, string)) {
				for i := range got.Items {
					add(&corev1.Secret{ObjectMeta: got.Items[i].ObjectMeta, Type: corev1.SecretTypeServiceAccountToken}, string(got.Items[i].UID))
				}
			}}, nil
		})
	}
	return l
}

// constraintGroup holds a kind for each template of Gatekeeper.
const constraintGroup = "constraints.gatekeeper.sh"

// constraints lists every kind of Gatekeeper constraint that the server offers.
func (s *session) constraints() []*lister {
	var out []*lister
	for gr := range s.served {
		if gr.Group == constraintGroup {
			out = append(out, s.custom("", kube.AdmissionPolicies, gr.Group, gr.Resource))
		}
	}
	slices.SortFunc(out, func(a, b *lister) int { return strings.Compare(a.what, b.what) })
	return out
}

// undiscovered marks what depends on custom kinds where the server did not tell
// which it offers.
func (s *session) undiscovered() {
	if err := s.dark[constraintGroup]; err != nil {
		s.set.Miss(kube.AdmissionPolicies, missing(constraintGroup, err))
	}
	if s.served != nil {
		return
	}
	m := facts.Missing{Status: facts.Unknown, Partial: true, Reason: "the server did not tell which kinds it offers, so those of add-ons were not read"}
	for _, t := range []kube.Topic{kube.NetworkPolicies, kube.Ingresses, kube.AdmissionPolicies, kube.MeshObjects, kube.SCCs, kube.OpenShiftConfig} {
		s.set.Miss(t, m)
	}
}

// kubeadmin books whether OpenShift's first administrator is still there, by the
// metadata of its Secret alone.
func (s *session) kubeadmin(ctx context.Context) {
	if !slices.Contains(s.info.Groups, "config.openshift.io") {
		return
	}
	err := s.retry(ctx, "kubeadmin", func(ctx context.Context) error {
		_, err := s.meta.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(metav1.NamespaceSystem).Get(ctx, "kubeadmin", metav1.GetOptions{})
		return err
	})
	switch {
	case err == nil:
		s.set.Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: "kubeadmin"}}, kube.Place{})
	case !apierrors.IsNotFound(err):
		s.info.Missing["openshift.kubeadmin"] = missing("the Secret kube-system/kubeadmin", err)
	}
}
