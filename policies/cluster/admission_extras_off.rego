# METADATA
# scope: package
# title: Optional protective admission plugins are off
# description: |
#   Three plugins close narrow ways of abuse and are off by default: DenyServiceExternalIPs (a Service takes over an address),
#   EventRateLimit (a flood of events fills etcd), and AlwaysPullImages (a pod runs an image that only another tenant may
#   pull). The last matters where tenants share nodes, and is asked for with --param multi_tenant=true alone. Where the API
#   does not show the command line of the API server, as on a managed control plane, the check is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
#     description: Admission controllers
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-008
#   severity: low
#   needs: [api_servers]
#   params:
#     - name: multi_tenant
#       type: boolean
#       default: false
#       description: Tenants that do not trust each other share nodes; AlwaysPullImages is then asked for.
#   remediation: |
#     Add DenyServiceExternalIPs and EventRateLimit to --enable-admission-plugins, and AlwaysPullImages where tenants share
#     nodes. An admission policy that does the same is as good.
#   references:
#     cis-k8s: ["1.2.3", "1.2.9", "1.2.11"]
#     attack-containers: [T1499]
#     owasp-k8s: [K07]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.admission_extras_off

import data.postscan.lib.components

deny contains object.union(
	components.finding(server, "enable-admission-plugins", sprintf("does not enable %s", [plugin])),
	{"key": concat("/", [server.where, plugin])},
) if {
	some server in input.api_servers
	not unread(server)
	on := components.items(server, "enable-admission-plugins") | components.items(server, "admission-control")
	some plugin in (wanted - on)
}

unread(server) if {
	server.config_file
	not components.given(server, "enable-admission-plugins")
}

wanted contains "DenyServiceExternalIPs"

wanted contains "EventRateLimit"

wanted contains "AlwaysPullImages" if data.params.multi_tenant
