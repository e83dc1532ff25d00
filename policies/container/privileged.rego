# METADATA
# scope: package
# title: Privileged container
# description: |
#   The container is privileged: it has every capability and every device, and neither seccomp nor AppArmor nor SELinux
#   stands in its way. Who is root in it is root on the machine in one step. A running exec session that was started as
#   privileged counts too. Under a rootless engine the rights of its user bound it.
# related_resources:
#   - ref: https://docs.docker.com/reference/cli/docker/container/run/
#     description: docker container run
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-004
#   severities: [critical, medium]
#   needs: [privileged, privileged_execs, rootless]
#   remediation: |
#     Start it anew without --privileged and give it the one capability (--cap-add) or device (--device) that it needs.
#     End privileged exec sessions.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-docker: ["5.5", "5.23"]
#     attack-containers: [T1611]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.container.privileged

deny contains {
	"message": "it is privileged",
	"path": "privileged",
	"value": true,
	"key": "privileged",
	"severity": severity,
} if {
	input.privileged
}

deny contains {
	"message": sprintf("%d privileged exec sessions run in it", [input.privileged_execs]),
	"path": "privileged_execs",
	"value": input.privileged_execs,
	"key": "exec",
	"severity": severity,
} if {
	not input.privileged
	input.privileged_execs > 0
}

default severity := "critical"

severity := "medium" if input.rootless
