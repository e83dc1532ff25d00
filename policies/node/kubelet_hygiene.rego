# METADATA
# scope: package
# title: Kubelet settings that let a node drift
# description: |
#   Small settings that a benchmark asks for: the kubelet changes kernel parameters instead of stopping where they differ
#   (protectKernelDefaults), leaves iptables chains to others, never closes idle exec and log streams, drops most events, or
#   carries another name than its host, which its certificate and the Node authorizer then have to follow. The name is a flag,
#   which the API does not show. The configuration is read from the kubelet through the API with --kubelet-config, or from the
#   node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
#     description: Configuration of the kubelet
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-027
#   severity: info
#   needs: [kubelet, kubelet_flags, os]
#   remediation: |
#     Set protectKernelDefaults: true with the kernel parameters that it asks for, makeIPTablesUtilChains: true, a
#     streamingConnectionIdleTimeout above 0 and eventRecordQPS of 5 or more (0 is no bound). Remove --hostname-override.
#   references:
#     cis-k8s: ["4.2.5", "4.2.6", "4.2.7", "4.2.8"]
#     owasp-k8s: [K07]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.kubelet_hygiene

deny contains {"message": message, "path": path, "value": false, "key": path} if {
	input.os != "windows"
	some path, message in {
		"kubelet.protect_kernel_defaults": "the kubelet changes kernel parameters instead of protecting them",
		"kubelet.iptables_util_chains": "the kubelet does not keep its iptables chains",
	}
	field := substring(path, 8, -1)
	input.kubelet[field] == false
}

deny contains {
	"message": "idle streams of exec and logs are never closed",
	"path": "kubelet.streaming_idle_seconds",
	"value": 0,
	"key": "kubelet.streaming_idle_seconds",
} if {
	input.kubelet.streaming_idle_seconds == 0
}

deny contains {
	"message": sprintf("the kubelet records no more than %d events a second", [input.kubelet.event_record_qps]),
	"path": "kubelet.event_record_qps",
	"value": input.kubelet.event_record_qps,
	"key": "kubelet.event_record_qps",
} if {
	input.kubelet.event_record_qps > 0 # 0 is no bound
	input.kubelet.event_record_qps < 5
}

deny contains {
	"message": sprintf("the node carries the name %s by a flag", [flag.value]),
	"path": sprintf("kubelet_flags[%d]", [i]),
	"value": flag.value,
	"key": "hostname-override",
} if {
	some i, flag in input.kubelet_flags
	flag.name == "hostname-override"
}
