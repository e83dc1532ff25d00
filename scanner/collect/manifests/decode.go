package manifests

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsjson "sigs.k8s.io/json"

	"github.com/postscan/postscan/scanner/collect/kube"
	"github.com/postscan/postscan/scanner/facts"
)

// head is what every object has.
type head struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name         string `json:"name"`
		GenerateName string `json:"generateName"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

// typed returns an empty object of a kind, by group. The older versions of a
// kind have the same shape where it matters; [modernise] mends the rest.
func typed(group, kind string) any {
	switch group {
	case "":
		switch kind {
		case "Pod":
			return new(corev1.Pod)
		case "PodTemplate":
			return new(corev1.PodTemplate)
		case "ReplicationController":
			return new(corev1.ReplicationController)
		case "ServiceAccount":
			return new(corev1.ServiceAccount)
		case "Namespace":
			return new(corev1.Namespace)
		case "Service":
			return new(corev1.Service)
		case "Endpoints":
			return new(corev1.Endpoints) //nolint:staticcheck // manifests still have them
		case "Node":
			return new(corev1.Node)
		case "PersistentVolume":
			return new(corev1.PersistentVolume)
		case "PersistentVolumeClaim":
			return new(corev1.PersistentVolumeClaim)
		case "ResourceQuota":
			return new(corev1.ResourceQuota)
		case "LimitRange":
			return new(corev1.LimitRange)
		case "Secret":
			return new(corev1.Secret)
		case "ConfigMap":
			return new(corev1.ConfigMap)
		}
	case "apps", "extensions":
		switch kind {
		case "Deployment":
			return new(appsv1.Deployment)
		case "StatefulSet":
			return new(appsv1.StatefulSet)
		case "DaemonSet":
			return new(appsv1.DaemonSet)
		case "ReplicaSet":
			return new(appsv1.ReplicaSet)
		case "NetworkPolicy":
			return new(netv1.NetworkPolicy)
		case "Ingress":
			return new(netv1.Ingress)
		}
	case "batch":
		switch kind {
		case "Job":
			return new(batchv1.Job)
		case "CronJob":
			return new(batchv1.CronJob)
		}
	case "rbac.authorization.k8s.io":
		switch kind {
		case "Role":
			return new(rbacv1.Role)
		case "ClusterRole":
			return new(rbacv1.ClusterRole)
		case "RoleBinding":
			return new(rbacv1.RoleBinding)
		case "ClusterRoleBinding":
			return new(rbacv1.ClusterRoleBinding)
		}
	case "networking.k8s.io":
		switch kind {
		case "NetworkPolicy":
			return new(netv1.NetworkPolicy)
		case "Ingress":
			return new(netv1.Ingress)
		}
	case "discovery.k8s.io":
		if kind == "EndpointSlice" {
			return new(discoveryv1.EndpointSlice)
		}
	case "node.k8s.io":
		if kind == "RuntimeClass" {
			return new(nodev1.RuntimeClass)
		}
	case "certificates.k8s.io":
		if kind == "CertificateSigningRequest" {
			return new(certv1.CertificateSigningRequest)
		}
	case "admissionregistration.k8s.io":
		switch kind {
		case "ValidatingWebhookConfiguration":
			return new(admissionv1.ValidatingWebhookConfiguration)
		case "MutatingWebhookConfiguration":
			return new(admissionv1.MutatingWebhookConfiguration)
		case "ValidatingAdmissionPolicy":
			return new(admissionv1.ValidatingAdmissionPolicy)
		case "ValidatingAdmissionPolicyBinding":
			return new(admissionv1.ValidatingAdmissionPolicyBinding)
		}
	}
	return nil
}

// custom says whether kube reads a custom kind of the group.
func custom(group string) bool {
	switch group {
	case "gateway.networking.k8s.io", "route.openshift.io", "apps.openshift.io", "cilium.io", "crd.projectcalico.org", "projectcalico.org",
		"policy.networking.k8s.io", "kyverno.io", "policies.kyverno.io", "constraints.gatekeeper.sh", "security.istio.io",
		"security.openshift.io", "policy.sigstore.dev", "config.ratify.deislabs.io":
		return true
	}
	return false
}

// decode reads the objects of one document; a List holds several. Objects of
// kinds that are not read are returned without a value, so that they can be
// counted; a document that is no Kubernetes object yields nothing.
func decode(raw []byte, lines map[string]int) ([]object, error) {
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		if raw[0] == '[' {
			return decodeArray(raw, lines)
		}
		if raw[0] != '{' {
			return nil, nil // a word: no object
		}
		return nil, fmt.Errorf("line %d: %s", lines[""], plainJSON(err))
	}
	if h.Kind == "" || h.APIVersion == "" {
		return nil, nil
	}
	group, version, found := strings.Cut(h.APIVersion, "/")
	if !found {
		group, version = "", group
	}
	if isList(&h) {
		for i := range h.Items {
			h.Items[i] = withKind(h.Items[i], &h)
		}
		return decodeItems(h.Items, itemLines(lines, "items["))
	}
	o := object{kind: h.Kind, place: kube.Place{Origin: facts.Origin{Line: lines[""]}, Lines: lines}}
	switch v := typed(group, h.Kind); {
	case v != nil:
		raw, err := modernise(raw, group, version, h.Kind)
		if err == nil {
			err = sigsjson.UnmarshalCaseSensitivePreserveInts(raw, v)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s %q: %s", lines[""], h.Kind, h.Metadata.Name, plainJSON(err))
		}
		o.value = v
	case custom(group):
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(raw); err != nil {
			return nil, fmt.Errorf("line %d: %s %q: %s", lines[""], h.Kind, h.Metadata.Name, plainJSON(err))
		}
		o.value = u
	default:
		if group != "" {
			o.kind += "." + group
		}
	}
	return []object{o}, nil
}

// decodeArray reads a document that is a plain array of objects, as generators
// write it. Of another array nothing is an object.
func decodeArray(raw []byte, lines map[string]int) ([]object, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("line %d: %s", lines[""], plainJSON(err))
	}
	return decodeItems(items, itemLines(lines, "["))
}

// decodeItems reads the objects of a list, each with its own lines.
func decodeItems(items []json.RawMessage, lines map[int]map[string]int) ([]object, error) {
	var out []object
	var errs []error
	for i, item := range items {
		objects, err := decode(item, lines[i])
		out = append(out, objects...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// isList: a v1 List, or a typed one as `kubectl get -o yaml` of old versions wrote it.
func isList(h *head) bool { return strings.HasSuffix(h.Kind, "List") && h.Items != nil }

// withKind gives an item of a typed list (PodList) the kind that it leaves out.
func withKind(item json.RawMessage, list *head) json.RawMessage {
	var m map[string]json.RawMessage
	if list.Kind == "List" || json.Unmarshal(item, &m) != nil || m == nil || m["kind"] != nil {
		return item
	}
	m["kind"], _ = json.Marshal(strings.TrimSuffix(list.Kind, "List"))
	if m["apiVersion"] == nil {
		m["apiVersion"], _ = json.Marshal(list.APIVersion)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return item
	}
	return out
}

// itemLines shares the lines of a list out to its items, by index. prefix is what
// their paths begin with: "items[".
func itemLines(lines map[string]int, prefix string) map[int]map[string]int {
	out := map[int]map[string]int{}
	for k, v := range lines {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		num, rest, _ := strings.Cut(rest, "]")
		i, err := strconv.Atoi(num)
		if err != nil {
			continue
		}
		if out[i] == nil {
			out[i] = map[string]int{}
		}
		out[i][strings.TrimPrefix(rest, ".")] = v
	}
	return out
}

// plainJSON takes the decoder's own words out of its errors.
func plainJSON(err error) string {
	return strings.TrimPrefix(err.Error(), "json: ")
}

// modernise gives an object of an older API version the shape of the newest.
func modernise(raw []byte, group, version, kind string) ([]byte, error) {
	old := kind == "Ingress" && version != "v1" || version == "v1beta1" && group == "admissionregistration.k8s.io" || kind == "RuntimeClass" && version == "v1alpha1"
	if !old {
		return raw, nil
	}
	var m map[string]any
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(raw, &m); err != nil {
		return nil, err
	}
	spec, _ := m["spec"].(map[string]any)
	switch {
	case kind == "Ingress" && spec != nil:
		moderniseIngress(spec)
	case kind == "RuntimeClass" && spec != nil:
		m["handler"] = spec["runtimeHandler"]
		delete(m, "spec")
	case group == "admissionregistration.k8s.io":
		hooks, _ := m["webhooks"].([]any)
		for _, h := range hooks { // the default was Ignore before v1
			if hook, ok := h.(map[string]any); ok && hook["failurePolicy"] == nil {
				hook["failurePolicy"] = "Ignore"
			}
		}
	}
	return json.Marshal(m)
}

// moderniseIngress renames the fields of v1beta1.
func moderniseIngress(spec map[string]any) {
	backend := func(v any) any {
		b, ok := v.(map[string]any)
		if !ok || b["serviceName"] == nil {
			return v
		}
		return map[string]any{"service": map[string]any{"name": b["serviceName"]}}
	}
	if b, ok := spec["backend"]; ok {
		spec["defaultBackend"] = backend(b)
	}
	rules, _ := spec["rules"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		http, _ := rule["http"].(map[string]any)
		paths, _ := http["paths"].([]any)
		for _, p := range paths {
			if path, ok := p.(map[string]any); ok {
				path["backend"] = backend(path["backend"])
			}
		}
	}
}

// sortedKeys lists the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
