# METADATA
# scope: package
# schemas:
#   - input: schema["workload"]
# custom:
#   part_of: PS-CP-006
#   needs: [containers]
package postscan.workload.api_proxy

deny contains {
	"message": sprintf("container %s offers the API over http, with its own rights, to whoever reaches it", [c.name]),
	"path": c.path,
	"value": "kubectl proxy",
	"key": c.name,
	"severity": "critical",
} if {
	some c in input.containers
	c.api_proxy
}
