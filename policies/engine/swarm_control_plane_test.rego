package postscan.engine.swarm_control_plane_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.swarm_control_plane as policy

swarm(changes) := object.union(fixture.swarm, {"swarm": object.union(fixture.swarm.swarm, changes)})

test_fails_for_each_weakness if {
	every key, changes in {
		"autolock": {"autolock": false}, "certificates": {"certificate_days": 3650}, "managers": {"managers": 4, "workers": 5},
		"tasks": {"active_managers": 1}, "unused": {"managers": 1, "workers": 0, "services": []},
	} {
		key in {d.key | some d in policy.deny} with input as swarm(changes)
	}
}

test_fails_for_an_open_port if {
	every address in ["0.0.0.0:2377", "[::]:2377"] {
		address in {d.value | some d in policy.deny} with input as object.union(fixture.swarm, {
			"public_address": true,
			"listeners": [object.union(fixture.listener, {"purpose": "swarm", "address": address})],
		})
	}
}

test_passes_for_a_strong_one_and_for_none if {
	count(policy.deny) == 0 with input as fixture.swarm
	policy.applies with input as fixture.swarm
	not policy.applies with input as fixture.engine({})
	count(policy.deny) == 0 with input as swarm({"manager": false, "autolock": false})
	count(policy.deny) == 0 with input as swarm({
		"managers": 5, "workers": 3, "services": [fixture.service], "autolock": true,
	})
}
