# METADATA
# scope: package
# title: SSH daemon in the image
# description: |
#   The image starts an SSH daemon or says that it listens on port 22. That is a second way into the container, with keys and
#   passwords of its own, which the orchestrator neither authorises nor records: who logs in there passes by its RBAC, admission
#   and audit log. The daemon runs as root, and its keys usually lie in the image, the same for every container.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/
#     description: A shell in a container through the API server
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-009
#   severity: medium
#   needs: [config.exposed_ports, ssh_starters]
#   remediation: |
#     Remove the SSH server package and its start from the entrypoint, the command and any supervisor; drop "EXPOSE 22". Use
#     "kubectl exec" or "docker exec", which the API authorises and records. For file transfer use a volume or an object store.
#   references:
#     nist-800-190: ["4.1.2"]
#     cis-docker: ["5.7"]
#     attack-containers: [T1021.004]
#     owasp-k8s: [K01]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.ssh_daemon

deny contains {
	"message": sprintf("%s starts an SSH daemon", [place(starter)]),
	"path": sprintf("ssh_starters[%d]", [index]),
	"value": {"where": starter.where, "path": starter.path},
	"key": concat(" ", [starter.where, starter.path]),
} if {
	some index, starter in input.ssh_starters
}

deny contains {
	"message": "port 22/tcp, the port of SSH, is exposed",
	"path": sprintf("config.exposed_ports[%d]", [index]),
	"value": "22/tcp",
	"key": "port 22/tcp",
} if {
	some index, port in input.config.exposed_ports
	port.number == 22
	port.protocol == "tcp"
}

place(starter) := starter.path if {
	starter.path != ""
} else := concat(" ", ["the", object.get(parts, starter.where, starter.where)])

parts := {"cmd": "command"}
