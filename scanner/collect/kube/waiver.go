package kube

import (
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/postscan/postscan/scanner/facts"
)

// maxWaiver bounds what is kept of one annotation, in bytes: a reason, not a novel.
const maxWaiver = 4 << 10

// objectKey names an object by where it was read: a set of manifests may hold
// one name twice, and the waiver of one must not count for the other.
type objectKey struct {
	id     string
	origin facts.Origin
	target string
}

// noteWaivers keeps an object's annotations that ask for a waiver, and no other.
// They stand outside the facts: policies judge what is there, whoever accepts it.
func (s *Set) noteWaivers(obj any, at Place) {
	o, ok := obj.(metav1.Object)
	if !ok {
		return
	}
	var found map[string]string
	for k, v := range o.GetAnnotations() {
		if !strings.HasPrefix(k, facts.WaiverAnnotation) {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		found[s.intern(k)] = s.intern(v[:min(len(v), maxWaiver)])
	}
	if found == nil {
		return
	}
	r := ref{kindOf(obj), name{o.GetNamespace(), o.GetName()}}
	s.waivers[objectKey{r.id(), at.Origin, at.Target}] = found
	if r.namespace == "" { // it is of the whole cluster, or in the namespace of those that name none
		r.namespace = s.opts.Namespace
		s.waivers[objectKey{r.id(), at.Origin, at.Target}] = found
	}
}

// kindOf is the kind of an object. Typed clients leave it out of the object.
func kindOf(obj any) string {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return u.GetKind()
	}
	t := reflect.TypeOf(obj)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// waiversOf are the annotations of the object that a resource stands for. A pod
// that differs from its controller's template has none: it may stand for others.
func (s *Set) waiversOf(r ref, at Place, doc any) map[string]string {
	if w, ok := doc.(*facts.Workload); ok && w.Drifted {
		return nil
	}
	return s.waivers[objectKey{r.id(), at.Origin, at.Target}]
}
