# METADATA
# scope: package
# title: Profiling or debug endpoints are on
# description: |
#   The API server, the controller manager and the scheduler answer questions about their memory and time under /debug/pprof
#   unless profiling is switched off. Of a kubelet the debug and profiling handlers and the query of system logs are judged
#   where others than administrators may ask them: by nodes/proxy or nodes/log, by anonymous access, or without authorization.
#   Such endpoints tell what a component works on, and load it. Where the API does not show the component's command line, as on
#   a managed control plane, this is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
#     description: Flags of kube-apiserver
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-012
#   severity: low
#   needs: [api_servers, controller_managers, schedulers]
#   remediation: |
#     Set --profiling=false on the API server, the controller manager and the scheduler. On kubelets set
#     enableDebugFlagsHandler, enableProfilingHandler and enableSystemLogQuery to false, or take nodes/proxy and nodes/log
#     away.
#   references:
#     cis-k8s: ["1.2.15", "1.3.2", "1.4.1"]
#     attack-containers: [T1613]
#     owasp-k8s: [K07]
#     cwe: ["489"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.profiling

import data.postscan.lib.components

deny contains components.finding(c, "profiling", "answers under /debug/pprof") if {
	some list in [input.api_servers, input.controller_managers, input.schedulers]
	some c in list
	components.default_on(c, "profiling")
}
