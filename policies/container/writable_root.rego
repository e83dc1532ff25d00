# METADATA
# scope: package
# title: Writable root filesystem
# description: |
#   The container may write to its own root file system. What breaks in can put programs there and change those that are
#   there, and finds them again after a restart.
# related_resources:
#   - ref: https://docs.docker.com/reference/cli/docker/container/run/
#     description: docker container run
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-014
#   severity: low
#   needs: [read_only_root]
#   remediation: |
#     Start it with --read-only, and with --tmpfs or a volume for the folders that it writes to.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD2]
#     cis-docker: ["5.13"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.container.writable_root

deny contains {
	"message": "its root file system is writable",
	"path": "read_only_root",
	"value": false,
	"key": "root",
} if {
	not input.read_only_root
}
