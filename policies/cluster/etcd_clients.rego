# METADATA
# scope: package
# title: Access to etcd is not authenticated
# description: |
#   etcd takes requests without a client certificate, offers its port over http beyond loopback, or makes itself a certificate
#   that nobody can verify. Whoever reaches the port reads every Secret and writes every object, past all authorization. Where
#   the API does not show the component's command line, as on a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://etcd.io/docs/latest/op-guide/security/
#     description: Transport security of etcd
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-017
#   severity: critical
#   needs: [etcds]
#   remediation: |
#     Set --client-cert-auth=true with --trusted-ca-file, --cert-file and --key-file, drop --auto-tls, and use https in
#     --listen-client-urls.
#   references:
#     nist-800-190: ["4.3.2"]
#     nsa-cisa: [NET4]
#     cis-k8s: ["2.1", "2.2", "2.3"]
#     attack-containers: [T1552.007]
#     owasp-k8s: [K06]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.etcd_clients

import data.postscan.lib.components

deny contains components.finding(etcd, "client-cert-auth", "asks clients for no certificate") if {
	some etcd in served
	components.default_off(etcd, "client-cert-auth")
}

deny contains components.finding(etcd, flag, "has no serving certificate of its own") if {
	some etcd in served
	some flag in ["cert-file", "key-file"]
	components.empty(etcd, flag)
}

deny contains components.finding(etcd, "auto-tls", "makes itself a serving certificate") if {
	some etcd in input.etcds
	components.on(etcd, "auto-tls")
}

deny contains components.finding(etcd, "listen-client-urls", sprintf("takes clients at %s", [address])) if {
	some etcd in input.etcds
	some address in components.items(etcd, "listen-client-urls")
	components.plain(address)
}

# served are those that are reached by more than a unix socket.
served contains etcd if {
	some etcd in input.etcds
	not sockets_only(etcd)
}

sockets_only(etcd) if {
	components.given(etcd, "listen-client-urls")
	every address in components.items(etcd, "listen-client-urls") {
		components.socket(address)
	}
}
