# METADATA
# scope: package
# title: API audit logging is off
# description: |
#   Nothing of what is asked of the API is recorded: there is neither a file nor a webhook for audit events, or no policy,
#   without which none is written. After a break-in nobody can say what was read or changed. Where the API does not show the
#   command line of the API server, as on a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
#     description: Auditing
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-009
#   severity: medium
#   needs: [api_servers]
#   remediation: |
#     Write an audit policy, and set --audit-policy-file with --audit-log-path or --audit-webhook-config-file. Send the events
#     off the machine.
#   references:
#     nsa-cisa: [LOG1]
#     cis-k8s: ["1.2.16", "3.2.1"]
#     owasp-k8s: [K10]
#     cwe: ["778"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.audit_off

import data.postscan.lib.components

deny contains components.finding(server, "audit-log-path", "writes audit events nowhere") if {
	some server in input.api_servers
	components.empty(server, "audit-log-path")
	components.empty(server, "audit-webhook-config-file")
}

deny contains components.finding(server, "audit-policy-file", "has no audit policy, so no event is written") if {
	some server in input.api_servers
	components.empty(server, "audit-policy-file")
}
