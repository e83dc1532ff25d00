package postscan.identity.node_proxy_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.node_proxy as policy

test_get_is_enough if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("nodes/proxy", ["get"])])
	fixture.severities(denied) == {"critical"}
}

test_and_every_other_verb if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("nodes/proxy", ["delete"])])
	fixture.severities(denied) == {"critical"}
}

test_passes_for_nodes_themselves if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("nodes", ["get", "list"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("nodes/proxy", ["get"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("nodes/proxy", ["get"])])
}
