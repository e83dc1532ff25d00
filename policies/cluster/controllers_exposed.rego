# METADATA
# scope: package
# title: Controllers share an identity or listen widely
# description: |
#   Without --use-service-account-credentials all controllers work with the one identity that may do all that any of them
#   needs. A controller manager, scheduler or kube-proxy that listens beyond loopback shows metrics and, with profiling, more
#   to whoever reaches the node. Without --root-ca-file pods get no certificate authority to verify the API server by. Where
#   the API does not show the component's command line, as on a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
#     description: Flags of kube-controller-manager
#   - ref: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
#     description: Configuration of kube-proxy
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-016
#   severity: medium
#   needs: [controller_managers, schedulers, kube_proxies]
#   remediation: |
#     Set --use-service-account-credentials=true, --root-ca-file, and --bind-address=127.0.0.1 on both; leave kube-proxy's
#     metricsBindAddress at 127.0.0.1:10249.
#   references:
#     nsa-cisa: [NET4]
#     cis-k8s: ["1.3.3", "1.3.5", "1.3.7", "1.4.2", "4.3.1"]
#     attack-containers: [T1613]
#     owasp-k8s: [K06]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.controllers_exposed

import data.postscan.lib.components

deny contains components.finding(manager, "use-service-account-credentials", "runs all controllers with one identity") if {
	some manager in input.controller_managers
	components.default_off(manager, "use-service-account-credentials")
}

deny contains components.finding(manager, "root-ca-file", "gives pods no certificate authority") if {
	some manager in input.controller_managers
	components.empty(manager, "root-ca-file")
}

deny contains components.finding(c, "bind-address", "listens on every address") if {
	some list in [input.controller_managers, input.schedulers]
	some c in list
	components.absent(c, "bind-address")
	not closed(c)
}

deny contains components.finding(c, flag, sprintf("listens on %s", [components.value(c, flag)])) if {
	some list in [input.controller_managers, input.schedulers]
	some c in list
	some flag in ["bind-address", "address"]
	components.given(c, flag)
	not components.loopback(components.value(c, flag))
}

deny contains components.finding(proxy, "metrics-bind-address", sprintf("shows metrics on %s", [address])) if {
	some proxy in input.kube_proxies
	address := components.value(proxy, "metrics-bind-address")
	address != ""
	not components.loopback(address)
}

closed(c) if components.value(c, "secure-port") == "0"
