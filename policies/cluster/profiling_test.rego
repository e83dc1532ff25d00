package postscan.cluster.profiling_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.profiling as policy

keys(denied) := {d.key | some d in denied}

test_fails_by_default if {
	keys(policy.deny) == {"cp-1/kube-apiserver/profiling"} with input as fixture.servers({"profiling": null})
	keys(policy.deny) == {"cp-1/kube-controller-manager/profiling"} with input as fixture.managers({"profiling": "true"})
	keys(policy.deny) == {"cp-1/kube-scheduler/profiling"} with input as fixture.schedulers({"profiling": null})
}

test_a_scheduler_that_reads_a_file_is_left_open if {
	keys(policy.deny) == set() with input as fixture.behind_a_file(fixture.schedulers({"profiling": null}), "schedulers")
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
