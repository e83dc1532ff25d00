package kube

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// addUnstructured takes an object of a custom kind.
func (s *Set) addUnstructured(u *unstructured.Unstructured, at Place) bool {
	group, _, _ := strings.Cut(u.GetAPIVersion(), "/")
	switch kind := u.GetKind(); {
	case group == "gateway.networking.k8s.io" && kind == "Gateway":
		s.addGateway(u, at)
	case group == "gateway.networking.k8s.io" && strings.HasSuffix(kind, "Route"):
		s.addGatewayRoute(u, at)
	case group == "route.openshift.io" && kind == "Route":
		s.addOpenShiftRoute(u, at)
	case group == "apps.openshift.io" && kind == "DeploymentConfig":
		return s.addDeploymentConfig(u, at)
	case group == "cilium.io" && (kind == "CiliumNetworkPolicy" || kind == "CiliumClusterwideNetworkPolicy"):
		s.addCilium(u, at)
	case strings.HasSuffix(group, "projectcalico.org") && (kind == "NetworkPolicy" || kind == "GlobalNetworkPolicy"):
		s.addCalico(u, at)
	case group == "policy.networking.k8s.io" && strings.HasSuffix(kind, "NetworkPolicy"):
		s.addAdminPolicy(u, at)
	case group == "kyverno.io" && (kind == "ClusterPolicy" || kind == "Policy"), group == "policies.kyverno.io":
		s.addKyverno(u, at)
	case group == "constraints.gatekeeper.sh":
		s.addConstraint(u, at)
	case group == "security.istio.io" && kind == "PeerAuthentication":
		s.addPeerAuthentication(u)
	case group == "security.openshift.io" && kind == "SecurityContextConstraints":
		s.addSCC(u)
	case group == "config.openshift.io" && (kind == "ClusterImagePolicy" || kind == "ImagePolicy"):
		s.addImageVerifier(u)
	case group == "operator.openshift.io":
		s.addOpenShiftOperator(u)
	case group == "config.openshift.io":
		s.addOpenShiftConfig(u)
	case group == "policy.sigstore.dev" && kind == "ClusterImagePolicy", group == "config.ratify.deislabs.io" && kind == "Verifier":
		s.addImageVerifier(u)
	default:
		return false
	}
	return true
}

// metaOf reads the metadata that the typed kinds have.
func metaOf(u *unstructured.Unstructured) *metav1.ObjectMeta {
	return &metav1.ObjectMeta{Name: u.GetName(), Namespace: u.GetNamespace(), Labels: u.GetLabels(), Annotations: u.GetAnnotations()}
}

// dig walks into nested maps; nil where a step is missing or of another type.
func dig(m map[string]any, path ...string) any {
	var v any = m
	for _, p := range path {
		step, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = step[p]
	}
	return v
}

// text reads a string; "" where there is none.
func text(m map[string]any, path ...string) string {
	v, _ := dig(m, path...).(string)
	return v
}

// flag reads a bool; unset where there is none.
func flag(m map[string]any, path ...string) string {
	if v, ok := dig(m, path...).(bool); ok {
		return position(&v)
	}
	return unset
}

// submap reads a map; nil where there is none.
func submap(m map[string]any, path ...string) map[string]any {
	v, _ := dig(m, path...).(map[string]any)
	return v
}

// list reads a list; nil where there is none.
func list(m map[string]any, path ...string) []any {
	v, _ := dig(m, path...).([]any)
	return v
}

// maplist reads a list of maps; elements of other types become empty maps, so
// that indices stay right.
func maplist(m map[string]any, path ...string) []map[string]any {
	raw := list(m, path...)
	out := make([]map[string]any, len(raw))
	for i, v := range raw {
		out[i], _ = v.(map[string]any)
	}
	return out
}

// texts reads a list of strings.
func texts(m map[string]any, path ...string) []string {
	var out []string
	for _, v := range list(m, path...) {
		if t, ok := v.(string); ok {
			out = append(out, t)
		}
	}
	return out
}
