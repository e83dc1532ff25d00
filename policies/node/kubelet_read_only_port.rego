# METADATA
# scope: package
# title: Kubelet's read-only port is open
# description: |
#   On this port, 10255 by tradition, the kubelet tells everybody who asks, without login and encryption, which pods run on the
#   node and how they are set up. The configuration is read from the kubelet through the API with --kubelet-config, or from the
#   node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
#     description: Configuration of the kubelet
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-022
#   severity: medium
#   needs: [kubelet.read_only_port]
#   remediation: |
#     Set readOnlyPort: 0 in the kubelet's configuration.
#   references:
#     nsa-cisa: [NET4]
#     cis-k8s: ["4.2.4"]
#     cis-eks: ["3.2.4"]
#     cis-aks: ["3.2.4"]
#     attack-containers: [T1613]
#     owasp-k8s: [K06]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.kubelet_read_only_port

deny contains {
	"message": sprintf("the kubelet tells of its pods on port %d without login", [input.kubelet.read_only_port]),
	"path": "kubelet.read_only_port",
	"value": input.kubelet.read_only_port,
	"key": "port",
} if {
	input.kubelet.read_only_port != 0
}
