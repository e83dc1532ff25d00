# METADATA
# scope: package
# title: Running pods violate the namespace's own level
# description: |
#   Pods of the workload run, and they do not meet the Pod Security level that their namespace enforces. Pod Security judges pods when
#   they are made and never evicts: these are older than the label, or exempt. The version is that of the namespace's label,
#   and where that is newer than the cluster, the cluster's.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/
#     description: Pod Security Admission
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-016
#   severity: medium
#   needs: [running, namespace.pod_security.enforce, namespace.pod_security.enforce_minor, cluster.minor, containers, volumes,
#     security_context, os, host_users, host_network, host_pid, host_ipc, sysctls, apparmor_annotations, seccomp_annotations, pod_path]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Mend the workload (its other findings say what is wrong) and let its pods be made anew, or move it to a namespace whose
#     level fits. "kubectl label --dry-run=server --overwrite ns NAME pod-security.kubernetes.io/enforce=LEVEL" lists such pods.
#   references:
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.1"]
#     attack-containers: [T1610]
#     owasp-k8s: [K04]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.violates_enforced_level

import data.postscan.lib.pod_security_controls as controls

applies if {
	input.running
	input.namespace.pod_security.enforce != "privileged"
}

deny contains {
	"message": sprintf("running pods violate %s, the level that the namespace enforces: %s", [
		input.namespace.pod_security.enforce,
		concat(", ", {control | some [control, _] in failing}),
	]),
	"path": input.pod_path,
	"value": {control: sort([path | some [c, path] in failing; c == control]) | some [control, _] in failing},
} if {
	applies
	count(failing) > 0
}

failing := violations(input.namespace.pod_security.enforce) if in_force == input.namespace.pod_security.enforce_minor

failing := fails if {
	in_force != input.namespace.pod_security.enforce_minor

	# regal ignore:with-outside-test-context
	fails := violations(input.namespace.pod_security.enforce) with input.namespace.pod_security.enforce_minor as in_force
}

# in_force is the version that the API server applies: it knows none that is newer than itself.
in_force := min([input.namespace.pod_security.enforce_minor, newest])

default newest := 999

newest := input.cluster.minor if input.cluster.minor > 0

# The label alone decides which version is in force, whatever the user asks other checks to judge by.
# regal ignore:with-outside-test-context
violations("baseline") := fails if fails := controls.baseline with data.params.pss_version as ""

# regal ignore:with-outside-test-context
violations("restricted") := fails if fails := controls.restricted with data.params.pss_version as ""
