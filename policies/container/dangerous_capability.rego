# METADATA
# scope: package
# title: Dangerous capability added
# description: |
#   The container can use a capability with which root takes the machine: mounting disks, loading modules, reading any
#   file, tracing any process, changing the network. It is told by what the container has in the end: the engine's default
#   set, drops and additions, and where it runs here, what /proc shows. Privileged containers are told by PS-ENG-004. It
#   counts less in a user namespace, or for a user other than root that cannot gain privileges.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: Linux capabilities
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-005
#   severities: [high, medium]
#   needs: [capabilities, privileged, namespaces, root, no_new_privileges]
#   remediation: |
#     Start it with --cap-drop ALL and add back only what it needs. For a single task on the host use a program of the
#     host.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.4"]
#     attack-containers: [T1611]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.dangerous_capability

import data.postscan.lib.capabilities

deny contains {
	"message": sprintf("it has the capability %s", [name]),
	"path": "capabilities",
	"value": name,
	"key": name,
	"severity": severity,
} if {
	not input.privileged
	some name in input.capabilities
	name in capabilities.takeover
}

default severity := "high"

severity := "medium" if out_of_reach

out_of_reach if input.namespaces.user == "private"

out_of_reach if {
	input.root == "no"
	input.no_new_privileges
}
