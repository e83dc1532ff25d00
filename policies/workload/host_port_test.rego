package postscan.workload.host_port_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_port as policy

port(number) := {"ports": [object.union(fixture.app.ports[0], {"host_port": number})]}

test_fails_for_a_host_port if {
	denied := policy.deny with input as fixture.with_container(port(80))
	denied == {{
		"message": "container app takes port 80 of the node",
		"path": "spec.template.spec.containers[0].ports[0].hostPort",
		"value": 80,
		"key": "app 80/TCP",
	}}
}

test_passes_without_host_port if count(policy.deny) == 0 with input as fixture.with_container(port(0))
