# METADATA
# scope: package
# title: Unsafe sysctl
# description: |
#   The pod sets a kernel setting that is not known to stay within it. Such a setting may change the node for every pod on it,
#   or use up what they share. A value with a plus or equals sign is worse: with it an old CRI-O could be made to run a program
#   on the node (CVE-2022-0811).
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Pod Security Standards
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
#     description: Using sysctls in a Kubernetes cluster
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-K8S-019
#   severities: [medium, high]
#   needs: [sysctls]
#   optional: [namespace.pod_security.enforce_minor]
#   params:
#     - name: pss_version
#       type: string
#       default: ""
#       description: Version of the Pod Security Standards, as "v1.34" or "latest"; empty is that of the namespace's enforce label
#   remediation: |
#     Remove the setting. Where an application really needs it, allow it on kubelets of nodes that run nothing else, and taint
#     them.
#   references:
#     pss-baseline: [sysctls]
#     nist-800-190: ["4.4.3"]
#     owasp-k8s: [K01]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.workload.unsafe_sysctl

import data.postscan.lib.pod_security

# since says from which version of the standards a name is allowed.
since := {
	"kernel.shm_rmid_forced": 0,
	"net.ipv4.ip_local_port_range": 0,
	"net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ping_group_range": 0,
	"net.ipv4.tcp_syncookies": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.tcp_fin_timeout": 29,
	"net.ipv4.tcp_keepalive_intvl": 29,
	"net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_keepalive_time": 29,
	"net.ipv4.tcp_rmem": 32,
	"net.ipv4.tcp_wmem": 32,
	"net.ipv4.tcp_notsent_lowat": 37,
	"net.ipv4.tcp_slow_start_after_idle": 37,
}

deny contains {
	"message": sprintf("the sysctl %s is not known to be safe", [s.name]),
	"path": concat("", [s.path, ".name"]),
	"value": s.name,
	"key": s.name,
	"severity": severity(s.value),
} if {
	some s in input.sysctls
	not allowed(s.name)
}

allowed(name) if since[name] <= pod_security.minor

severity(value) := "high" if regex.match(`[+=]`, value)

severity(value) := "medium" if not regex.match(`[+=]`, value)
