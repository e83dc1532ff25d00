# METADATA
# scope: package
# title: Host port
# description: |
#   A container takes a port of the node itself. Traffic to it passes by Services and, with some network plug-ins, by network
#   policies; whoever reaches the node reaches the container; and two pods with the same port cannot share a node. A pod in the
#   host's network has every port of its containers on the node.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
#     description: Host ports in the baseline level
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-006
#   severity: medium
#   needs: [containers]
#   remediation: |
#     Remove hostPort and publish the port with a Service, of type LoadBalancer or NodePort where it has to be reached from
#     outside.
#   references:
#     pss-baseline: [hostPorts]
#     nist-800-190: ["4.4.2"]
#     cis-k8s: ["5.2.12"]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.host_port

deny contains {
	"message": sprintf("container %s takes port %d of the node", [c.name, p.host_port]),
	"path": concat("", [p.path, ".hostPort"]),
	"value": p.host_port,
	"key": sprintf("%s %d/%s", [c.name, p.host_port, p.protocol]),
} if {
	some c in input.containers
	some p in c.ports
	p.host_port != 0
}
