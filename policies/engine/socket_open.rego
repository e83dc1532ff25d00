# METADATA
# scope: package
# title: Engine socket open to non-root users
# description: |
#   The socket of the engine may be written to by others than root: by everybody, by a group that is neither root nor
#   docker, or by a docker group that has members. Who may write there starts containers as root and reads every file of
#   the machine. The socket of a rootless engine is its user's own and is left out.
# related_resources:
#   - ref: https://docs.docker.com/engine/install/linux-postinstall/
#     description: What membership in the docker group means
#   - ref: https://docs.docker.com/engine/security/rootless/
#     description: Rootless mode
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-002
#   severity: high
#   needs: [files]
#   remediation: |
#     Set the socket to root:root or root:docker with mode 0660, and take people out of the docker group: let them use
#     sudo, or give each a rootless engine.
#   references:
#     nist-800-190: ["4.5.4"]
#     cis-docker: ["1.1.2", "3.15", "3.16", "3.23", "3.24"]
#     attack-containers: [T1611]
#     cwe: ["732"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.engine.socket_open

deny contains {
	"message": sprintf("everybody may write to %s (mode %s)", [f.path, f.mode]),
	"path": sprintf("files[%d].mode", [i]),
	"value": f.mode,
	"key": concat(" ", ["others", f.path]),
} if {
	some i, f in input.files
	socket(f)
	f.other_write
}

deny contains {
	"message": sprintf("the group %s may write to %s (mode %s)", [f.group, f.path, f.mode]),
	"path": sprintf("files[%d].group", [i]),
	"value": f.group,
	"key": concat(" ", ["group", f.path]),
} if {
	some i, f in input.files
	socket(f)
	f.group_write
	not f.group in {"docker", "podman", "root"}
	not f.group_root
}

deny contains {
	"message": sprintf("members of the group %s may write to %s: %s", [f.group, f.path, concat(", ", f.group_members)]),
	"path": sprintf("files[%d].group_members", [i]),
	"value": f.group_members,
	"key": concat(" ", ["members", f.path]),
} if {
	some i, f in input.files
	socket(f)
	f.group_write
	count(f.group_members) > 0
}

socket(f) if {
	f.role == "socket"
	not f.rootless
	not f.parent_private
}
