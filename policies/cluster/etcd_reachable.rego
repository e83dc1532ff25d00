# METADATA
# scope: package
# title: etcd is reachable from workloads or workers, or its backups are open
# description: |
#   etcd listens beyond loopback, and no firewall keeps pods and worker nodes from its ports 2379 and 2380: one stolen client
#   certificate then goes past the API. Members on several nodes have to listen there, so the firewall decides; its rules are
#   not seen through the API and this part is not assessed. A backup of etcd that others than root may read gives the same as
#   its port; node files tell.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/
#     description: Operating etcd clusters for Kubernetes
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-019
#   severity: high
#   needs: [etcds, etcd_guarded]
#   remediation: |
#     Let only API servers and the other members reach ports 2379 and 2380. Encrypt backups, and keep them readable for root
#     alone.
#   references:
#     nsa-cisa: [NET4, NET5]
#     cis-k8s: ["1.1.11"]
#     attack-containers: [T1552.007]
#     owasp-k8s: [K06]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.etcd_reachable

import data.postscan.lib.components

deny contains components.finding(etcd, flag, sprintf("listens on %s, which no firewall guards", [concat(", ", sort(open))])) if {
	input.etcd_guarded == "false"
	some etcd in input.etcds
	some flag in ["listen-client-urls", "listen-peer-urls"]
	open := {address |
		some address in components.items(etcd, flag)
		address != ""
		not components.socket(address)
		not components.loopback(address)
	}
	count(open) > 0
}
