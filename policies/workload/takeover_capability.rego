# METADATA
# scope: package
# title: Node-takeover capability
# description: |
#   A container can use a capability with which root takes the node: mounting its disks, loading kernel modules, reading any
#   file, tracing any process. It is told by what the container has in the end, after privileged, additions and drops. It counts
#   less where it cannot be reached: in a user namespace, or for a user other than root that cannot gain privileges.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
#     description: Configure a security context for a pod or container
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-009
#   severities: [critical, high, medium]
#   needs: [containers, host_users, host_pid]
#   remediation: |
#     Remove the capability. Where a driver or an agent cannot do without, run it as a DaemonSet of the platform on nodes of its
#     own, and keep people's workloads away from that namespace.
#   references:
#     nist-800-190: ["4.4.3"]
#     attack-containers: [T1611, T1547.006]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.takeover_capability

import data.postscan.lib.capabilities

deny contains {
	"message": sprintf("container %s has the capability %s", [c.name, name]),
	"path": capability_path(c),
	"value": name,
	"key": concat(" ", [c.name, name]),
	"severity": severity(c, name),
} if {
	some c in input.containers
	some name in c.effective.capabilities
	name in capabilities.takeover
}

capability_path(c) := concat("", [c.path, ".securityContext.privileged"]) if c.privileged

capability_path(c) := concat("", [c.path, ".securityContext.capabilities.add"]) if not c.privileged

severity(c, _) := "medium" if out_of_reach(c)

severity(c, "NET_ADMIN") := "medium" if not out_of_reach(c)

severity(c, "SYS_PTRACE") := "high" if {
	not out_of_reach(c)
	not input.host_pid
}

severity(c, "SYS_PTRACE") := "critical" if {
	not out_of_reach(c)
	input.host_pid
}

severity(c, name) := "critical" if {
	not out_of_reach(c)
	not name in {"NET_ADMIN", "SYS_PTRACE"}
}

# The capability holds in the pod's user namespace alone, or stays in the
# bounding set of a user who cannot get at it.
out_of_reach(_) if input.host_users == "false"

out_of_reach(c) if {
	input.host_users != "false"
	c.effective.root == "no"
	c.effective.no_new_priv
}
