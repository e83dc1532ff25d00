# METADATA
# scope: package
# title: Pod Security level reached
# description: |
#   The highest level of the Pod Security Standards that the workload meets, in one line, with the controls that keep it from the
#   next one. The version is that of the namespace's enforce label, else the latest. Each control has a check of its own that
#   says what is wrong; this one adds them up as the admission plugin of Kubernetes does, where some controls of the restricted
#   level take the place of those of baseline. A workload that meets restricted passes.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/
#     description: Pod Security Admission
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-023
#   severity: info
#   needs: [containers, volumes, security_context, os, host_users, host_network, host_pid, host_ipc, sysctls,
#     apparmor_annotations, seccomp_annotations, pod_path]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Mend the controls that the finding lists, those of baseline first. Then let the namespace enforce the level that its
#     workloads meet, with the label pod-security.kubernetes.io/enforce.
#   references:
#     nsa-cisa: [POD4]
#     cis-k8s: ["5.2.1"]
#     owasp-k8s: [K04]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.workload.pod_security_level

import data.postscan.lib.pod_security_controls as controls

deny contains {
	"message": sprintf("meets the Pod Security level %s; %s refuses %s", [
		controls.level, next,
		concat(", ", {control | some [control, _] in failing}),
	]),
	"path": input.pod_path,
	"value": {
		"level": controls.level,
		"failing": {control: paths(control) | some [control, _] in failing},
	},
} if {
	controls.level != "restricted"
}

# next is the level above the one that is met.
next := "restricted" if controls.level == "baseline"

next := "baseline" if controls.level == "privileged"

failing := controls.baseline if next == "baseline"

failing := controls.restricted if next == "restricted"

paths(control) := sort([path | some [c, path] in failing; c == control])
