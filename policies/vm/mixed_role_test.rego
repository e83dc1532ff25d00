package postscan.vm.mixed_role_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.mixed_role as policy

test_fails_for_another_service if {
	policy.deny == {{
		"message": "the database service postgresql starts on a machine that runs containers",
		"path": "role.services[0]",
		"value": "postgresql",
		"key": "postgresql",
	}}
		with input as fixture.machine({"role": {"services": [{"name": "postgresql", "kind": "database", "path": "/etc/systemd/system/x"}]}})
		with data.params as fixture.params
	count(policy.deny) == 0
		with input as fixture.machine({"role": {"services": [{"name": "nginx", "kind": "web", "path": "/etc/systemd/system/x"}]}})
		with data.params as fixture.params
}

test_fails_for_what_is_not_there if {
	every name in {"audit", "log_forwarding", "time_sync"} {
		{finding.key | some finding in policy.deny} == {name}
			with input as fixture.machine({"role": {name: false}})
			with data.params as fixture.params
	}
}

test_fails_for_untrusted_containers_on_bare_metal if {
	bare := fixture.machine({"machine": {"kind": "bare-metal"}})
	untrusted := object.union(fixture.params, {"untrusted_containers": true})
	found := policy.deny with input as bare with data.params as untrusted
	{finding.key | some finding in found} == {"bare metal"}
	trusted := policy.deny with input as bare with data.params as fixture.params
	count(trusted) == 0
}

test_is_about_container_hosts if {
	not policy.applies with input as fixture.machine({"role": {"container_host": false}})
	policy.applies with input as fixture.clean
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
}
