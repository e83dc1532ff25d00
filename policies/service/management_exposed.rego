# METADATA
# scope: package
# title: Management interface exposed
# description: |
#   Something that controls the cluster, its builds or its data can be reached from outside: the pods behind the Service, Ingress or
#   route run an image that is known for it (Kubernetes Dashboard, Argo CD, Prometheus, Grafana, Jenkins, Kubeflow, Weave Scope, Spark,
#   YARN, Kafka Connect, a registry, Tiller and the like). Such programs are asked for default passwords all day. An internal
#   load balancer or gateway, and a load balancer with source ranges, are not outside.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/
#     description: Deploy and access the Kubernetes Dashboard
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/
#     description: Services
# schemas:
#   - input: schema["service"]
# custom:
#   id: PS-NET-010
#   severity: high
#   needs: [type, internal, open_to_all, source_ranges, external_ips, nodes_public, images]
#   remediation: |
#     Reach it through a VPN, a private load balancer or "kubectl port-forward", or put a proxy with single sign-on before it.
#   references:
#     nist-800-190: ["4.3.2"]
#     cis-gke: ["5.10.1"]
#     attack-containers: [T1133, T1190]
#     owasp-k8s: [K06]
#     cwe: ["306"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.service.management_exposed

import data.postscan.lib.addresses
import data.postscan.lib.admin_apps

applies if input.type in {"LoadBalancer", "NodePort"}

applies if count(input.external_ips) > 0

deny contains {
	"message": sprintf("%s can be reached from outside by %s", [app, concat(" and ", ways)]),
	"path": "spec.type",
	"value": app,
	"key": app,
} if {
	count(ways) > 0
	some app in admin_apps.of(input.images)
}

ways contains "a load balancer" if {
	input.type == "LoadBalancer"
	not input.internal
	open
}

ways contains "node ports on nodes with public addresses" if {
	input.type == "NodePort"
	input.nodes_public == "true"
}

ways contains "external IPs" if count(input.external_ips) > 0

open if input.open_to_all

open if addresses.everything(input.source_ranges)
