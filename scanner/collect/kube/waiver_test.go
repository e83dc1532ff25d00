package kube

import (
	"encoding/json"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// Annotations that ask for a waiver go with the resource, and no other does; the
// facts that policies see stay what they are without them.
func TestWaiverAnnotations(t *testing.T) {
	const waive = "postscan.dev/waive.PS-K8S-001"
	set := New(Options{Target: "t"})
	deployment := func(annotations string) *appsv1.Deployment {
		return decode[appsv1.Deployment](t, `
metadata: {name: web, namespace: shop`+annotations+`}
spec: {template: {metadata: {annotations: {`+waive+`: "of the template"}}, spec: {containers: [{name: a, image: nginx}]}}}`)
	}
	one, two := Place{Origin: facts.Origin{File: "a.yaml", Line: 1}}, Place{Origin: facts.Origin{File: "a.yaml", Line: 9}}
	set.Add(deployment(", annotations: {"+waive+": legacy, secret: hunter2}"), one)
	set.Add(deployment(""), two)
	set.Add(decode[corev1.Pod](t, "metadata: {name: bare, annotations: {"+waive+": bare}}\nspec: {containers: [{name: a, image: nginx}]}"), one)
	set.Add(decode[corev1.Namespace](t, "metadata: {name: shop, annotations: {"+waive+": ns}}"), one)
	set.Add(decode[rbacv1.ClusterRole](t, "metadata: {name: all, annotations: {"+waive+": role}}"), one)
	got, documents := map[string]map[string]string{}, map[string]string{}
	for r := range set.Resources() {
		key := r.ID
		if r.Origin.Line == 9 {
			key += " again"
		}
		if len(r.Annotations) > 0 {
			got[key] = r.Annotations
		}
		doc, err := json.Marshal(r.Facts)
		if err != nil {
			t.Fatal(err)
		}
		documents[key] = string(doc)
	}
	want := map[string]map[string]string{
		"shop/Deployment/web": {waive: "legacy"}, "default/Pod/bare": {waive: "bare"},
		"Namespace/shop": {waive: "ns"}, "ClusterRole/all": {waive: "role"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("annotations %v, want %v", got, want)
	}
	if a, b := documents["shop/Deployment/web"], documents["shop/Deployment/web again"]; a != b || a == "" {
		t.Errorf("the facts differ by the annotation:\n%s\n%s", a, b)
	}
}
