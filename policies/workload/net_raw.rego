# METADATA
# scope: package
# title: NET_RAW retained
# description: |
#   A container keeps the capability NET_RAW, which the default set of containerd and Docker holds. With it a process builds any
#   packet: it can answer ARP and DNS in place of its neighbours on the node's bridge and read or change their traffic. Where
#   the node's runtime is not known, containerd's default set is assumed.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities
#   - ref: https://man7.org/linux/man-pages/man7/raw.7.html
#     description: Raw sockets
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-010
#   severity: medium
#   needs: [containers, os]
#   remediation: |
#     Set "capabilities: {drop: [ALL]}" or at least drop NET_RAW. ping works without it where net.ipv4.ping_group_range lets the
#     user send echo requests.
#   references:
#     nist-800-190: ["4.4.2"]
#     cis-k8s: ["5.2.8"]
#     attack-containers: [T1557]
#     owasp-k8s: [K05]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.net_raw

applies if input.os != "windows"

deny contains {
	"message": sprintf("container %s keeps NET_RAW", [c.name]),
	"path": concat("", [c.path, ".securityContext.capabilities"]),
	"value": c.effective.capability_base,
	"key": c.name,
} if {
	some c in input.containers
	some name in c.effective.capabilities
	name in {"ALL", "NET_RAW"}
}
