package postscan.workload.writable_root_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.writable_root as policy

test_fails_where_it_may_write if {
	denied := policy.deny with input as fixture.with_container({"read_only_root_filesystem": false})
	denied == {{
		"message": "container app may write to its root file system",
		"path": "spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem",
		"value": false,
		"key": "app",
	}}
}

test_passes_where_it_may_not if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}

test_not_applicable_to_windows if not policy.applies with input as fixture.pod({"os": "windows"})
