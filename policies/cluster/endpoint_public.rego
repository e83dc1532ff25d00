# METADATA
# scope: package
# title: The API is open to the Internet
# description: |
#   The endpoint has a public address and nothing limits who may reach it. One leaked credential or one flaw before the login
#   is then enough, from anywhere. Whether a list of addresses limits it is told by the cloud's API or a firewall, which this
#   scan does not ask: a public endpoint, and a managed control plane that may have a second one, are not assessed. A private
#   address passes on a cluster that you run yourself.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/controlling-access/
#     description: Controlling access to the API
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-015
#   severity: high
#   needs: [endpoint.public, endpoint.restricted]
#   optional: [endpoint.host]
#   remediation: |
#     Use a private endpoint, or limit the public one to the addresses that need it.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [NET4]
#     cis-eks: ["5.4.1", "5.4.2"]
#     cis-gke: ["5.6.3", "5.6.4"]
#     cis-aks: ["5.4.1", "5.4.2"]
#     aws-fsbp: [EKS.1]
#     attack-containers: [T1133, T1190]
#     owasp-k8s: [K06]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.endpoint_public

deny contains {
	"message": "the endpoint has a public address, and every address may reach it",
	"path": "endpoint.host",
	"value": input.endpoint.host,
	"key": "endpoint",
} if {
	input.endpoint.public == "true"
	input.endpoint.restricted == "false"
}

unknown contains "the name of the endpoint does not resolve here, so whether its address is public is not known" if {
	input.endpoint.public == "unknown"
}
