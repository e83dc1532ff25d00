package postscan.container.no_limits_test

import data.postscan.container.fixture_test as fixture
import data.postscan.container.no_limits as policy

test_fails if {
	every key, changes in {"memory": {"memory": 0}, "pids": {"pids": 0}, "cpu": {"cpu": false}} {
		key in {d.key | some d in policy.deny} with input as fixture.container({
			"limits": object.union(fixture.container({}).limits, changes),
		})
	}
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.container({})
	count(policy.deny) == 0 with input as fixture.container({
		"limits": object.union(fixture.container({}).limits, {"pids": 0}),
		"pod": {"namespace": "shop", "name": "web", "container": "app"},
	})
}
