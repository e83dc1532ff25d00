# METADATA
# scope: package
# title: Host IPC, UTS, cgroup or user namespace
# description: |
#   The container shares the machine's shared memory, host name, control groups or users, or its control group stands
#   outside of the engine's. Each is a wall less. The control groups of the machine are told where they were asked for: on
#   version 1 that is the default, which PS-ENG-018 tells once for the engine. Users are told where the engine separates
#   them and the container opts out.
# related_resources:
#   - ref: https://docs.docker.com/reference/cli/docker/container/run/
#     description: docker container run
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-007
#   severity: medium
#   needs: [namespaces, engine_remaps, cgroup_parent]
#   optional: [cgroup_namespace_asked]
#   remediation: |
#     Remove --ipc=host, --uts=host, --cgroupns=host, --userns=host and --cgroup-parent.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.17", "5.21", "5.25", "5.31"]
#     attack-containers: [T1611]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.weak_namespace

deny contains {
	"message": sprintf("it shares the %s of the machine", [word]),
	"path": concat(".", ["namespaces", which]),
	"value": "host",
	"key": which,
} if {
	some which, word in words
	input.namespaces[which] == "host"
	not implied(which)
}

deny contains {
	"message": "it shares the control groups of the machine",
	"path": "namespaces.cgroup",
	"value": "host",
	"key": "cgroup",
} if {
	input.namespaces.cgroup == "host"
	input.cgroup_namespace_asked
}

deny contains {
	"message": "it opts out of the engine's separation of users: its root is the machine's",
	"path": "namespaces.user",
	"value": "host",
	"key": "user",
} if {
	input.engine_remaps
	input.namespaces.user == "host"
}

deny contains {
	"message": sprintf("its control group is %s, outside of the engine's", [input.cgroup_parent]),
	"path": "cgroup_parent",
	"value": input.cgroup_parent,
	"key": "cgroup parent",
} if {
	input.cgroup_parent != ""
	not regex.match(`(docker|libpod|machine|kubepods|system\.slice|user\.slice)`, input.cgroup_parent)
}

# The host's network brings its host name with it.
implied("uts") if input.namespaces.network == "host"

words := {"ipc": "shared memory", "uts": "host name"}
