# METADATA
# scope: package
# title: Weak TLS settings
# description: |
#   The API server, etcd or a kubelet accepts TLS below 1.2 or cipher suites without authenticated encryption or forward
#   secrecy (CBC, RC4, 3DES, RSA key exchange), or the API server makes itself a certificate because it was given none. What is
#   not set is Go's default, which has none of these versions. Where the API does not show the component's command line, as on
#   a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
#     description: Flags of kube-apiserver
#   - ref: https://etcd.io/docs/latest/op-guide/security/
#     description: Transport security of etcd
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-014
#   severity: low
#   needs: [api_servers, etcds]
#   remediation: |
#     Set the lowest version to TLS 1.2 or 1.3 and name suites with AES-GCM or ChaCha20-Poly1305 and ECDHE alone. Give the API
#     server --tls-cert-file and --tls-private-key-file.
#   references:
#     nsa-cisa: [NET6]
#     cis-k8s: ["1.2.24", "1.2.29", "4.2.12"]
#     attack-containers: [T1557, T1040]
#     owasp-k8s: [K07]
#     cwe: ["326"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.weak_tls

import data.postscan.lib.components
import data.postscan.lib.tls

deny contains components.finding(c, "tls-min-version", sprintf("accepts %s", [components.value(c, "tls-min-version")])) if {
	some list in [input.api_servers, input.etcds]
	some c in list
	tls.old(components.value(c, "tls-min-version"))
}

deny contains components.finding(server, "tls-cipher-suites", sprintf("accepts %s", [concat(", ", sort(weak))])) if {
	some server in input.api_servers
	weak := tls.weak(components.items(server, "tls-cipher-suites"), lowest(server))
	count(weak) > 0
}

deny contains components.finding(etcd, "cipher-suites", sprintf("accepts %s", [concat(", ", sort(weak))])) if {
	some etcd in input.etcds
	weak := tls.weak(components.items(etcd, "cipher-suites"), lowest(etcd))
	count(weak) > 0
}

deny contains components.finding(server, flag, "makes itself a serving certificate") if {
	some server in input.api_servers
	some flag in ["tls-cert-file", "tls-private-key-file"]
	components.empty(server, flag)
}

lowest(c) := components.value(c, "tls-min-version")

lowest(c) := "" if not components.given(c, "tls-min-version")
