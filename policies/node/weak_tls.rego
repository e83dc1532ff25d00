# METADATA
# scope: package
# schemas:
#   - input: schema["node"]
# custom:
#   part_of: PS-CP-014
#   needs: [kubelet.tls_min_version, kubelet.tls_cipher_suites]
package postscan.node.weak_tls

import data.postscan.lib.tls

deny contains {
	"message": sprintf("the kubelet accepts %s", [input.kubelet.tls_min_version]),
	"path": "kubelet.tls_min_version",
	"value": input.kubelet.tls_min_version,
	"key": "version",
} if {
	tls.old(input.kubelet.tls_min_version)
}

deny contains {
	"message": sprintf("the kubelet accepts %s", [concat(", ", sort(weak))]),
	"path": "kubelet.tls_cipher_suites",
	"value": sort(weak),
	"key": "suites",
} if {
	weak := tls.weak({suite | some suite in input.kubelet.tls_cipher_suites}, input.kubelet.tls_min_version)
	count(weak) > 0
}
