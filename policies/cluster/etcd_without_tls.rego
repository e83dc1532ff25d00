# METADATA
# scope: package
# title: The API server reaches etcd without mutual TLS
# description: |
#   Between the API server and etcd goes everything that the cluster knows. Over http beyond loopback others read and change
#   it; without a client certificate etcd cannot ask for one; without its certificate authority the API server takes anybody
#   for etcd. Unix sockets and http on loopback are exempt. Without --client-ca-file the API server verifies no client
#   certificate, not those of kubelets either; that is told as information. Where the API does not show the component's command
#   line, as on a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#securing-etcd-clusters
#     description: Securing etcd clusters
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-042
#   severities: [high, info]
#   needs: [api_servers]
#   remediation: |
#     Use https in --etcd-servers, and set --etcd-cafile, --etcd-certfile and --etcd-keyfile. Set --client-ca-file.
#   references:
#     nsa-cisa: [NET4, NET6]
#     cis-k8s: ["1.2.23", "1.2.25", "1.2.26"]
#     attack-containers: [T1557, T1040]
#     owasp-k8s: [K07]
#     cwe: ["319", "295"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.etcd_without_tls

import data.postscan.lib.components

deny contains components.rated(server, "etcd-servers", sprintf("reaches etcd at %s", [address]), "high") if {
	some server in input.api_servers
	some address in components.items(server, "etcd-servers")
	components.plain(address)
}

deny contains components.rated(server, flag, "has no client certificate for etcd", "high") if {
	some server in input.api_servers
	wired(server)
	some flag in ["etcd-certfile", "etcd-keyfile"]
	components.empty(server, flag)
}

deny contains components.rated(server, "etcd-cafile", "does not verify etcd's certificate by its own authority", "high") if {
	some server in input.api_servers
	some address in components.items(server, "etcd-servers")
	startswith(address, "https://")
	components.empty(server, "etcd-cafile")
}

deny contains components.rated(server, "client-ca-file", "verifies no client certificates", "info") if {
	some server in input.api_servers
	components.empty(server, "client-ca-file")
}

# wired is true where etcd is reached by more than sockets and loopback without TLS.
wired(server) if {
	some address in components.items(server, "etcd-servers")
	not components.socket(address)
	not local(address)
}

local(address) if {
	startswith(address, "http://")
	components.loopback(address)
}
