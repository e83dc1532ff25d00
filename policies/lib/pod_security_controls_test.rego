package postscan.lib.pod_security_controls_test

import data.postscan.lib.pod_security_controls

workload(change) := object.union(
	{
		"pod_path": "spec", "host_network": false, "host_pid": false, "host_ipc": false,
		"containers": [], "volumes": [], "namespace": {"pod_security": {"enforce_minor": 37}},
	},
	change,
)

test_host_namespaces_are_refused_one_by_one if {
	controls := pod_security_controls.baseline with input as workload({"host_network": true, "host_pid": true})
		with data.params as {"pss_version": ""}
	controls == {["hostNamespaces", "spec.hostNetwork"], ["hostNamespaces", "spec.hostPID"]}
}

test_host_paths_and_privileged_containers_are_refused if {
	controls := pod_security_controls.baseline with input as workload({"volumes": [
		{"type": "hostPath", "path": "spec.volumes[0]"},
		{"type": "emptyDir", "path": "spec.volumes[1]"},
	]})
		with data.params as {"pss_version": ""}
	controls == {["hostPathVolumes", "spec.volumes[0].hostPath"]}
}

test_nothing_is_refused_of_a_workload_that_asks_for_nothing if {
	controls := pod_security_controls.baseline with input as workload({}) with data.params as {"pss_version": ""}
	controls == set()
}
