# METADATA
# scope: package
# schemas:
#   - input: schema["ingress"]
# custom:
#   part_of: PS-NET-010
#   needs: [kind, internal, images, backends]
package postscan.ingress.management_exposed

import data.postscan.lib.admin_apps

applies if {
	input.kind != "Gateway"
	not input.internal
}

deny contains {
	"message": sprintf("%s can be reached from outside, by %s", [app, concat(", ", input.backends)]),
	"path": "spec",
	"value": app,
	"key": app,
} if {
	applies
	some app in admin_apps.of(input.images)
}
