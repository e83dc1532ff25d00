# METADATA
# scope: package
# title: Host PID or network namespace
# description: |
#   The container shares the processes or the network of the machine, or those of another container that does or is
#   privileged. With the processes it reads their environment and memory; with the network it reaches every service that
#   listens on the machine's loopback and listens on any port.
# related_resources:
#   - ref: https://docs.docker.com/reference/cli/docker/container/run/
#     description: docker container run
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-006
#   severity: high
#   needs: [namespaces]
#   remediation: |
#     Remove --pid=host and --network=host. Publish the ports that are needed; let an agent that needs the processes run
#     on the machine itself.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.10", "5.16"]
#     attack-containers: [T1611]
#     cwe: ["668"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.host_namespace

deny contains {
	"message": sprintf("it shares the %s of the machine", [word]),
	"path": concat(".", ["namespaces", which]),
	"value": "host",
	"key": which,
} if {
	some which, word in words
	input.namespaces[which] == "host"
}

deny contains {
	"message": sprintf("it shares the %s of %s, which is privileged or shares those of the machine", [word, other(which)]),
	"path": concat(".", ["namespaces", which]),
	"value": other(which),
	"key": concat(" ", ["of", which]),
} if {
	input.namespaces.other_privileged == "true"
	some which, word in words
	input.namespaces[which] == "container"
}

words := {"network": "network", "pid": "processes"}

other("pid") := input.namespaces.pid_of

other("network") := input.namespaces.network_of
