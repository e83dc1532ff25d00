# METADATA
# scope: package
# title: Static or shared credentials for the API
# description: |
#   The API server reads tokens or passwords from a file. They stand there in plain text, never end, and a change needs a
#   restart; whoever reads the file is every user in it. Where the API does not show the command line of the API server, as on
#   a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
#     description: Authenticating
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-002
#   severity: high
#   needs: [api_servers]
#   remediation: |
#     Remove --token-auth-file and --basic-auth-file. Let people in by OpenID Connect and programs by bound service account
#     tokens.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["1.2.2"]
#     attack-containers: [T1078.001]
#     owasp-k8s: [K09]
#     cwe: ["798"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.static_credentials

import data.postscan.lib.components

deny contains components.finding(server, flag, "reads credentials from a file") if {
	some server in input.api_servers
	some flag in ["token-auth-file", "basic-auth-file"]
	components.given(server, flag)
}
