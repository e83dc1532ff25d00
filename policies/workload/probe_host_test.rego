package postscan.workload.probe_host_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.probe_host as policy

probe(host) := fixture.with_container({"host_probes": [{
	"hook": "livenessProbe",
	"host": host,
	"path": "spec.template.spec.containers[0].livenessProbe.httpGet.host",
}]})

test_fails_for_a_host if {
	denied := policy.deny with input as probe("127.0.0.1")
	denied == {{
		"message": "livenessProbe of container app asks the host 127.0.0.1",
		"path": "spec.template.spec.containers[0].livenessProbe.httpGet.host",
		"value": "127.0.0.1",
		"key": "app livenessProbe",
	}}
}

test_passes_without_host if {
	policy.applies with input as fixture.clean with data.params as fixture.params
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_before_its_version if not policy.applies with input as probe("x") with data.params as {"pss_version": "v1.33"}
