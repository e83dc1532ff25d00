# METADATA
# scope: package
# title: Pod Security level too weak or pinned old
# description: |
#   The namespace has Pod Security labels, and they hold little: the enforced level is privileged outside the system's namespaces, the
#   version is more than three minor versions behind the cluster, so that what was learned since is not refused, or a value is
#   none that the API server takes; such a value, written past its validation, reads as restricted for enforce and as nothing for audit
#   and warn. Exemptions for users, runtime classes and namespaces stand in the API server's own configuration file, so the
#   cluster is not assessed where its API server reads one.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/
#     description: Pod Security Admission
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/#exemptions
#     description: Exemptions
# schemas:
#   - input: schema["namespace"]
# custom:
#   id: PS-NET-015
#   severity: medium
#   needs: [system, pod_security.enforce_label, pod_security.enforce_version, pod_security.enforce_minor, pod_security.invalid,
#     cluster.minor]
#   remediation: |
#     Enforce baseline or restricted and leave the version at latest, or raise it with each upgrade of the cluster. Correct values that
#     are misspelt.
#   references:
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.1"]
#     attack-containers: [T1610]
#     owasp-k8s: [K04]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.namespace.weak_pod_security

deny contains {
	"message": "the namespace enforces the level privileged, which refuses nothing",
	"path": label("enforce"),
	"value": "privileged",
	"key": "level",
} if {
	input.pod_security.enforce_label == "privileged"
	not input.system
}

deny contains {
	"message": sprintf("the enforced version %s is %d minor versions behind the cluster", [input.pod_security.enforce_version, behind]),
	"path": label("enforce-version"),
	"value": input.pod_security.enforce_version,
	"key": "version",
} if {
	behind > 3
}

deny contains {
	"message": sprintf("the value of the label %s is none that the API server takes", [name]),
	"path": sprintf("metadata.labels[%s]", [name]),
	"value": name,
	"key": name,
} if {
	some name in input.pod_security.invalid
}

behind := input.cluster.minor - input.pod_security.enforce_minor if {
	input.cluster.minor > 0
	input.pod_security.enforce_label != "unset"
}

label(mode) := sprintf("metadata.labels[pod-security.kubernetes.io/%s]", [mode])
