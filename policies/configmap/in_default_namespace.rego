# METADATA
# scope: package
# schemas:
#   - input: schema["configmap"]
# custom:
#   part_of: PS-NET-018
#   needs: [namespace.name, system]
package postscan.configmap.in_default_namespace

deny contains {
	"message": "the ConfigMap is in the namespace default",
	"path": "metadata.namespace",
	"value": "default",
} if {
	input.namespace.name == "default"
	not input.system
}
