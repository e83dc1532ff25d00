# METADATA
# scope: package
# schemas:
#   - input: schema["cluster"]
# custom:
#   part_of: PS-CP-023
#   needs: [controller_managers]
package postscan.cluster.kubelet_certificates

import data.postscan.lib.components

deny contains components.rated(manager, "feature-gates", "does not let kubelets renew their serving certificates", "medium") if {
	some manager in input.controller_managers
	"RotateKubeletServerCertificate=false" in components.items(manager, "feature-gates")
}
