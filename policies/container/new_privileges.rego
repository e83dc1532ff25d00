# METADATA
# scope: package
# title: no-new-privileges not set
# description: |
#   A program in the container may gain rights by a set-uid bit or file capabilities: neither the container nor the engine
#   forbids it. A process that was broken into becomes root of the container by one forgotten set-uid program. For
#   containers that run here, /proc tells.
# related_resources:
#   - ref: https://docs.kernel.org/userspace-api/no_new_privs.html
#     description: no_new_privs
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-011
#   severity: low
#   needs: [no_new_privileges, privileged]
#   remediation: |
#     Set "no-new-privileges": true in Docker's daemon.json (containers.conf for Podman), or start containers with
#     --security-opt no-new-privileges. In Kubernetes set allowPrivilegeEscalation: false.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["2.14", "5.26"]
#     attack-containers: [T1548.001]
#     cwe: ["269"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.new_privileges

deny contains {
	"message": "programs in it may gain privileges",
	"path": "no_new_privileges",
	"value": false,
	"key": "no_new_privileges",
} if {
	not input.no_new_privileges
	not input.privileged
}
