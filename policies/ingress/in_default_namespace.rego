# METADATA
# scope: package
# schemas:
#   - input: schema["ingress"]
# custom:
#   part_of: PS-NET-018
#   needs: [namespace.name, kind]
package postscan.ingress.in_default_namespace

deny contains {
	"message": sprintf("the %s is in the namespace default", [input.kind]),
	"path": "metadata.namespace",
	"value": "default",
} if {
	input.namespace.name == "default"
}
