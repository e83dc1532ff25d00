# METADATA
# scope: package
# title: Egress not restricted
# description: |
#   No network policy closes the pod's egress. Whoever takes over a program in it can send data anywhere, fetch tools, look around
#   in the cluster and ask the cloud's metadata service. A policy closes egress where policyTypes names it; without policyTypes,
#   where it has egress rules. A pod in the host's network is left to PS-K8S-004 and PS-NET-001.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-egress-traffic
#     description: Default policy that denies all egress traffic
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-003
#   severity: medium
#   needs: [network.coverable, network.egress.isolated, network.egress.partial, meta_path]
#   remediation: |
#     Add a policy that selects every pod of the namespace with policyTypes: [Egress] and no rules, then allow DNS to the
#     cluster's own resolver and each destination that is needed.
#   references:
#     nist-800-190: ["4.4.2"]
#     nsa-cisa: [NET2]
#     attack-containers: [T1046]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.egress_not_restricted

applies if input.network.coverable

deny contains {
	"message": "no network policy selects the pod for egress",
	"path": concat("", [input.meta_path, ".labels"]),
	"value": false,
} if {
	open
	not input.network.egress.partial
}

unknown contains "a policy that postscan does not read in full may select the pod" if {
	open
	input.network.egress.partial
}

open if {
	input.network.coverable
	not input.network.egress.isolated
}
