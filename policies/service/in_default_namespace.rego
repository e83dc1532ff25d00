# METADATA
# scope: package
# schemas:
#   - input: schema["service"]
# custom:
#   part_of: PS-NET-018
#   needs: [namespace.name, api_server]
package postscan.service.in_default_namespace

deny contains {
	"message": "the Service is in the namespace default",
	"path": "metadata.namespace",
	"value": "default",
} if {
	input.namespace.name == "default"
	not input.api_server
}
