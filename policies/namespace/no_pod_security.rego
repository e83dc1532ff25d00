# METADATA
# scope: package
# title: Namespace without Pod Security enforcement
# description: |
#   The namespace has no pod-security.kubernetes.io/enforce label, the cluster's default lets everything in, and no policy of Kyverno,
#   Gatekeeper, ValidatingAdmissionPolicy or OpenShift's security context constraints refuses privileged pods there. Whoever may make
#   pods in it may take the node. Namespaces of the system are left out. A policy that refuses pods for reasons that postscan
#   cannot tell leaves the outcome unknown.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/
#     description: Pod Security Admission
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-namespace-labels/
#     description: Enforce Pod Security Standards with namespace labels
# schemas:
#   - input: schema["namespace"]
# custom:
#   id: PS-NET-014
#   severity: high
#   needs: [system, pod_security.enforce_label, pod_security_default, guards]
#   remediation: |
#     Set the label pod-security.kubernetes.io/enforce to restricted, or to baseline where a workload needs it. See with warn and
#     audit first what would be refused.
#   references:
#     nist-800-190: ["4.4.5"]
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.1"]
#     cis-gke: ["4.2.1"]
#     attack-containers: [T1610]
#     owasp-k8s: [K04]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.namespace.no_pod_security

applies if not input.system

deny contains {
	"message": sprintf("the namespace has no enforce label%s, and no other policy refuses privileged pods in it", [default_level]),
	"path": "metadata.labels",
	"value": "unset",
} if {
	unlabelled
	count(opaque) == 0
}

unknown contains sprintf("%s refuses pods of the namespace, and postscan cannot tell which", [concat(", ", opaque)]) if {
	unlabelled
	count(opaque) > 0
}

unlabelled if {
	applies
	input.pod_security.enforce_label == "unset"
	not guarded
}

guarded if {
	some g in input.guards
	g.enforces
	g.privileged
}

opaque contains concat(" ", [g.engine, g.name]) if {
	some g in input.guards
	g.enforces
	not g.understood
}

default default_level := ""

default_level := " (the API server's default is not in view; it is privileged unless changed)" if input.pod_security_default == "assumed"
