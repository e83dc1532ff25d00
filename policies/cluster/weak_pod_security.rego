# METADATA
# scope: package
# schemas:
#   - input: schema["cluster"]
# custom:
#   part_of: PS-NET-015
#   needs: [pod_security_exemptions]
#   params:
#     - name: allowed_exemptions
#       type: strings
#       default: [namespace kube-system]
#       description: Exemptions from Pod Security that are meant, as "namespace NAME", "user NAME" or "runtime class NAME"
package postscan.cluster.weak_pod_security

deny contains {
	"message": sprintf("the API server exempts the %s from Pod Security", [exemption]),
	"path": sprintf("pod_security_exemptions[%d]", [i]),
	"value": exemption,
	"key": exemption,
} if {
	some i, exemption in input.pod_security_exemptions
	not exemption in data.params.allowed_exemptions
}
