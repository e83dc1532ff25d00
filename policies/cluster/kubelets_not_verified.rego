# METADATA
# scope: package
# title: API server does not verify kubelets
# description: |
#   Logs, exec and port-forward go from the API server to kubelets. Without --kubelet-certificate-authority it takes any
#   serving certificate, so somebody on the way reads and answers for the node. Without a client certificate the kubelet cannot
#   tell the API server from anybody. Where the API does not show the command line of the API server, as on a managed control
#   plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/
#     description: Communication between nodes and the control plane
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-005
#   severity: medium
#   needs: [api_servers]
#   remediation: |
#     Let kubelets have their serving certificates signed (serverTLSBootstrap: true), then set --kubelet-certificate-authority,
#     --kubelet-client-certificate and --kubelet-client-key.
#   references:
#     nsa-cisa: [NET6]
#     cis-k8s: ["1.2.4", "1.2.5"]
#     attack-containers: [T1557]
#     owasp-k8s: [K07]
#     cwe: ["295"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.kubelets_not_verified

import data.postscan.lib.components

deny contains components.finding(server, "kubelet-certificate-authority", "does not verify the serving certificates of kubelets") if {
	some server in input.api_servers
	components.empty(server, "kubelet-certificate-authority")
}

deny contains components.finding(server, flag, sprintf("has no %s to show to kubelets", [what])) if {
	some server in input.api_servers
	some flag, what in {"kubelet-client-certificate": "client certificate", "kubelet-client-key": "client key"}
	components.empty(server, flag)
}
