package postscan.workload.edge_tunnel_test

import data.postscan.workload.edge_tunnel as policy
import data.postscan.workload.fixture_test as fixture

right := {"resource": "secrets", "verbs": ["get", "list"], "names": [], "cluster_wide": true}

agent(changes) := object.union(
	fixture.with_container({"image": {"repository": "openyurt/raven-agent"}}),
	{"cluster": {"distribution": "openyurt"}, "identity": {"rights": [object.union(right, changes)]}},
)

test_fails if {
	denied := policy.deny with input as agent({})
	{d.message | some d in denied} == {"app, an agent of a tunnel to the edge, may get, list secrets in the whole cluster"}
}

test_narrow_rights_are_fine if {
	count(policy.deny) == 0 with input as agent({"cluster_wide": false})
	count(policy.deny) == 0 with input as agent({"names": ["one"]})
}

test_only_agents_at_the_edge if {
	not policy.applies with input as fixture.clean
	not policy.applies with input as object.union(agent({}), {"cluster": {"distribution": "eks"}})
	not policy.applies with input as object.union(fixture.clean, {"cluster": {"distribution": "openyurt"}})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
