# METADATA
# scope: package
# title: Audit policy or retention is too thin
# description: |
#   The audit policy leaves out what a takeover needs (reading secrets, exec into pods, changes of roles, requests for tokens),
#   or the file is cut off after fewer than 30 days, 10 files or 100 megabytes. A bound that is not set keeps old files until
#   the disk is full. What the policy says stands in a file on the control-plane node; without it this part is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
#     description: Auditing
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-010
#   severity: low
#   needs: [api_servers]
#   remediation: |
#     Log at least Metadata for everything and Request for writes; set --audit-log-maxage=30, --audit-log-maxbackup=10 and
#     --audit-log-maxsize=100 or more.
#   references:
#     nsa-cisa: [LOG1]
#     cis-k8s: ["1.2.17", "1.2.18", "1.2.19", "3.2.2"]
#     owasp-k8s: [K10]
#     cwe: ["778"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.audit_thin

import data.postscan.lib.components

deny contains components.finding(server, flag, sprintf("keeps audit files for %s only", [components.value(server, flag)])) if {
	some server in written
	some flag, least in limits
	to_number(components.value(server, flag)) < least
	to_number(components.value(server, flag)) > 0
}

deny contains components.finding(server, flag, "sets no bound for audit files") if {
	some server in written
	some flag, _ in limits
	components.absent(server, flag)
}

deny contains components.finding(server, flag, "sets no bound for audit files") if {
	some server in written
	some flag, _ in limits
	components.value(server, flag) == "0"
}

deny contains object.union(
	components.finding(server, "audit-policy-file", sprintf("does not record %s", [what])),
	{"key": concat("/", [server.where, what])},
) if {
	some server in input.api_servers
	components.given(server, "audit-policy-file")
	some what in server.config.audit_drops
}

applies if count(written) > 0

applies if {
	some server in input.api_servers
	components.given(server, "audit-policy-file")
}

limits := {"audit-log-maxage": 30, "audit-log-maxbackup": 10, "audit-log-maxsize": 100}

# written are the servers that write a file; "-" is the standard output.
written contains server if {
	some server in input.api_servers
	not components.value(server, "audit-log-path") in {"", "-"}
	components.given(server, "audit-log-path")
}
