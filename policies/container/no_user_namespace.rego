# METADATA
# scope: package
# title: No user-namespace separation
# description: |
#   Root in the container is root on the machine: neither is the engine rootless, nor does it give the container users of
#   its own. What breaks out has every file. Containers in a sandbox with a kernel of its own, and those that do not run
#   as root and cannot become it, are left out.
# related_resources:
#   - ref: https://docs.docker.com/engine/security/userns-remap/
#     description: User namespaces of Docker
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-008
#   severity: low
#   needs: [namespaces.user, rootless, sandboxed, root, no_new_privileges]
#   remediation: |
#     Run the engine rootless, or set userns-remap in Docker's daemon.json, or start containers of Podman with
#     --userns=auto. In Kubernetes set hostUsers: false.
#   references:
#     nist-800-190: ["4.5.2"]
#     nsa-cisa: [POD1]
#     cis-docker: ["2.1", "2.9"]
#     attack-containers: [T1611]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.no_user_namespace

deny contains {
	"message": "its root is the root of the machine: it has no users of its own",
	"path": "namespaces.user",
	"value": "host",
	"key": "user",
} if {
	input.namespaces.user == "host"
	not input.rootless
	not input.sandboxed
	not unprivileged
}

unprivileged if {
	input.root == "no"
	input.no_new_privileges
}
