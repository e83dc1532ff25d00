package postscan.cluster.anonymous_requests_test

import data.postscan.cluster.anonymous_requests as policy
import data.postscan.cluster.fixture_test as fixture

open := {"anonymous": {"enabled": "true", "paths": ["/healthz", "/version"], "bindings": 0}}

severities(denied) := {d.severity | some d in denied}

test_fails_by_what_is_bound if {
	severities(policy.deny) == {"low"} with input as fixture.cluster(open)
	severities(policy.deny) == {"medium"} with input as fixture.cluster(object.union(open, {"distribution": "talos"}))
	severities(policy.deny) == {"low"} with input as fixture.cluster(object.union(open, {"distribution": "eks", "managed": true}))
	severities(policy.deny) == {"critical"} with input as fixture.cluster(object.union(open, {"anonymous": {"bindings": 2}}))
}

test_unseen_bindings_are_not_taken_for_none if {
	severities(policy.deny) == {"medium"} with input as fixture.cluster(object.union(open, {"anonymous": {"bindings": -1}}))
}

test_fails_by_the_flag if {
	by_flag := {"anonymous": {"enabled": "true", "bindings": -1}}
	denied := policy.deny with input as object.union(fixture.servers({"anonymous-auth": "true"}), by_flag)
	{d.path | some d in denied} == {"api_servers[0].flags[0]"}
	{d.value | some d in denied} == {"answered without credentials: nothing that was tried"}
}

test_health_endpoints_alone_are_fine if {
	count(policy.deny) == 0 with input as fixture.cluster(object.union(open, {"anonymous": {"limited": true}}))
}

test_unknown if {
	count(policy.unknown) == 1 with input as fixture.cluster({"anonymous": {"enabled": "unknown"}})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
}
