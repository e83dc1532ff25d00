# METADATA
# scope: package
# schemas:
#   - input: schema["cluster"]
# custom:
#   part_of: PS-CP-030
#   needs: [minor, patch]
package postscan.cluster.component_flaw

import data.postscan.lib.component_flaws

deny contains {
	"message": sprintf("kube-apiserver %s %s: %s", [version, flaw.what, flaw.id]),
	"path": "version",
	"value": version,
	"key": concat("/", ["kube-apiserver", flaw.id]),
} if {
	input.minor > 0
	version := sprintf("1.%d.%d", [input.minor, input.patch])
	some flaw in component_flaws.affecting("kube-apiserver", version, "")
}
