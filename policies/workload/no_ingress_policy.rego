# METADATA
# scope: package
# title: Pod not selected by any network policy
# description: |
#   No network policy closes the pod's ingress, so everything in the cluster that has a route to it may connect: the flat network
#   that Kubernetes starts with. Policies of Kubernetes, Cilium, Calico and administrators count. What a policy allows is judged by
#   PS-NET-004. A pod in the host's network cannot be covered by any policy; that is told apart, as information.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
#     description: Network policies
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-001
#   severities: [medium, info]
#   needs: [network.coverable, network.ingress.isolated, network.ingress.partial, meta_path, pod_path]
#   remediation: |
#     Start with a policy that selects every pod of the namespace and allows nothing (podSelector: {}, policyTypes: [Ingress]), and
#     add one policy for each connection that is meant to be.
#   references:
#     nist-800-190: ["4.3.3"]
#     nsa-cisa: [NET2]
#     cis-k8s: ["5.3.2"]
#     cis-eks: ["4.3.2"]
#     cis-aks: ["4.4.2"]
#     cis-gke: ["4.3.2"]
#     attack-containers: [T1046, T1210]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.no_ingress_policy

deny contains {
	"message": "no network policy selects the pod for ingress",
	"path": concat("", [input.meta_path, ".labels"]),
	"value": false,
	"severity": "medium",
} if {
	open
	not input.network.ingress.partial
}

deny contains {
	"message": "the pod is in the host's network, where no network policy covers it",
	"path": concat("", [input.pod_path, ".hostNetwork"]),
	"value": true,
	"key": "host-network",
	"severity": "info",
} if {
	not input.network.coverable
}

unknown contains "a policy that postscan does not read in full may select the pod" if {
	open
	input.network.ingress.partial
}

open if {
	input.network.coverable
	not input.network.ingress.isolated
}
