# METADATA
# scope: package
# title: Service account tokens are checked weakly
# description: |
#   With --service-account-lookup=false a token works on after its Secret or account is gone. Without
#   --service-account-key-file the API server takes the key of its TLS certificate, and tokens end with that or are made by
#   whoever holds it. --service-account-extend-token-expiration, on by default, makes tokens of pods last a year instead of an
#   hour. The controller manager needs a key to sign legacy tokens. A key that two clusters share lets tokens of one into the
#   other; that cannot be seen in one cluster. Where the API does not show the component's command line, as on a managed
#   control plane, this is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
#     description: Managing service accounts
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-013
#   severity: medium
#   needs: [api_servers, controller_managers]
#   remediation: |
#     Leave the lookup on, name the keys by --service-account-key-file and --service-account-private-key-file, set
#     --service-account-extend-token-expiration=false, and give each cluster keys of its own.
#   references:
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["1.2.21", "1.2.22", "1.2.30", "1.3.4"]
#     attack-containers: [T1528]
#     owasp-k8s: [K09]
#     cwe: ["613"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.token_checks_weak

import data.postscan.lib.components

deny contains components.finding(server, "service-account-lookup", "does not look whether a token's account still exists") if {
	some server in input.api_servers
	components.off(server, "service-account-lookup")
}

deny contains components.finding(server, "service-account-key-file", "checks tokens with the key of its TLS certificate") if {
	some server in input.api_servers
	components.empty(server, "service-account-key-file")
	not components.given(server, "service-account-signing-endpoint")
}

deny contains components.finding(server, "service-account-extend-token-expiration", "lets tokens of pods last a year") if {
	some server in input.api_servers
	components.default_on(server, "service-account-extend-token-expiration")
}

deny contains components.finding(manager, "service-account-private-key-file", "has no key of its own for tokens") if {
	some manager in input.controller_managers
	components.empty(manager, "service-account-private-key-file")
}
