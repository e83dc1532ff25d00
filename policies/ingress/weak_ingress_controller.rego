# METADATA
# scope: package
# schemas:
#   - input: schema["ingress"]
# custom:
#   part_of: PS-NET-011
#   needs: [kind, snippets]
package postscan.ingress.weak_ingress_controller

applies if input.kind == "Ingress"

deny contains {
	"message": "the annotation writes configuration into the controller",
	"path": sprintf("metadata.annotations[%s]", [snippet]),
	"value": snippet,
	"key": snippet,
} if {
	some snippet in input.snippets
}
