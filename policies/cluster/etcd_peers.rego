# METADATA
# scope: package
# title: etcd trusts its peers or the cluster's CA too easily
# description: |
#   A member of etcd that asks its peers for no certificate lets anybody join the copying of data. Where etcd trusts the
#   certificate authority that also signs client certificates of the API, every user of the cluster is a client of etcd. Where
#   the API does not show the component's command line, as on a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://etcd.io/docs/latest/op-guide/security/
#     description: Transport security of etcd
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-018
#   severity: high
#   needs: [etcds]
#   optional: [api_servers]
#   remediation: |
#     Set --peer-client-cert-auth=true with --peer-cert-file, --peer-key-file and --peer-trusted-ca-file, drop --peer-auto-tls,
#     and give etcd a certificate authority that signs nothing else.
#   references:
#     nsa-cisa: [NET4]
#     cis-k8s: ["2.4", "2.5", "2.6", "2.7"]
#     attack-containers: [T1557]
#     owasp-k8s: [K07]
#     cwe: ["295"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.etcd_peers

import data.postscan.lib.components

deny contains components.finding(etcd, "peer-client-cert-auth", "asks peers for no certificate") if {
	some etcd in input.etcds
	components.default_off(etcd, "peer-client-cert-auth")
}

deny contains components.finding(etcd, "peer-auto-tls", "makes itself a certificate for peers") if {
	some etcd in input.etcds
	components.on(etcd, "peer-auto-tls")
}

deny contains components.finding(etcd, flag, "has no certificate for peers") if {
	some etcd in input.etcds
	some flag in ["peer-cert-file", "peer-key-file"]
	components.empty(etcd, flag)
}

deny contains components.finding(etcd, "trusted-ca-file", "trusts the certificate authority of the cluster's users") if {
	some etcd in input.etcds
	some server in input.api_servers
	ca := components.value(etcd, "trusted-ca-file")
	ca != ""
	ca == components.value(server, "client-ca-file")
}

deny contains components.finding(server, "etcd-cafile", "and etcd share the certificate authority of the cluster's users") if {
	some server in input.api_servers
	ca := components.value(server, "etcd-cafile")
	ca != ""
	ca == components.value(server, "client-ca-file")
}
