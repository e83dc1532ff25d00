package postscan.vm.management_port_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.management_port as policy

test_fails_for_an_open_engine if {
	policy.deny == {{
		"message": "the Docker engine without TLS listens on 0.0.0.0, port 2375 (dockerd)",
		"path": "ports[0]",
		"value": {"address": "0.0.0.0", "port": 2375},
		"key": "docker 2375",
		"severity": "critical",
	}}
		with input as fixture.machine({"ports": [{
			"address": "0.0.0.0",
			"port": 2375,
			"reach": "any",
			"service": "docker",
			"process": "dockerd",
		}]})
}

test_fails_for_etcd_on_an_address if {
	found := policy.deny
		with input as fixture.machine({"ports": [{"address": "10.0.0.5", "port": 2379, "reach": "address", "service": "etcd", "process": ""}]})
	{finding.message | some finding in found} == {"etcd listens on 10.0.0.5, port 2379"}
	{finding.severity | some finding in found} == {"medium"}
}

test_passes_on_loopback_and_for_ports_that_ask_for_a_certificate if {
	count(policy.deny) == 0 with input as fixture.machine({"ports": [
		{"address": "127.0.0.1", "port": 2375, "reach": "loopback", "service": "docker", "process": "dockerd"},
		{"address": "0.0.0.0", "port": 10250, "reach": "any", "service": "kubelet", "process": "kubelet"},
		{"address": "0.0.0.0", "port": 2376, "reach": "any", "service": "docker-tls", "process": "dockerd"},
	]})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
