# METADATA
# scope: package
# title: Probe or lifecycle hook with a host field
# description: |
#   A probe or lifecycle hook names a host of its own. The kubelet then sends the request from the node to that address, which
#   the pod itself may not be able to reach: a way to have the node talk to its loopback, to the metadata service or into
#   another network.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
#     description: Configure probes
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-022
#   severity: low
#   needs: [containers]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Remove the host field: without it the kubelet asks the pod. Use a Host header where the application needs a name.
#   references:
#     pss-baseline: [hostProbesAndHostLifecycle]
#     nist-800-190: ["4.4.2"]
#     owasp-k8s: [K05]
#     cwe: ["918"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.probe_host

import data.postscan.lib.pod_security

# The control came with version 1.34 of the standards.
applies if pod_security.minor >= 34

deny contains {
	"message": sprintf("%s of container %s asks the host %s", [p.hook, c.name, p.host]),
	"path": p.path,
	"value": p.host,
	"key": concat(" ", [c.name, p.hook]),
} if {
	some c in input.containers
	some p in c.host_probes
	p.host != ""
}
