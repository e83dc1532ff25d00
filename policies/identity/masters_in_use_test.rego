package postscan.identity.masters_in_use_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.masters_in_use as policy

masters(changes) := object.union_n([fixture.clean, {"type": "Group", "name": "system:masters", "grants": [installed]}, changes])

installed := object.union(fixture.cluster_grant, {"bootstrap": true})

test_the_binding_that_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as masters({})
	fixture.severities(denied) == {"info"}
}

test_fails_for_another_binding_a_mapping_and_a_certificate if {
	every changes in [{"grants": [fixture.grant]}, {"grants": [], "mapped": "true"}, {"grants": [], "certificates": 2}] {
		denied := policy.deny with input as masters(changes)
		fixture.severities(denied) == {"high"}
	}
}

test_passes_without if {
	count(policy.deny) == 0 with input as masters({"grants": []})
}

test_says_what_was_not_seen if {
	count(policy.unknown) == 2 with input as masters({"mapped": "unknown", "certificates": -1})
	count(policy.unknown) == 0 with input as masters({})
}

test_others_are_not_meant if {
	policy.applies with input as masters({})
	not policy.applies with input as masters({"type": "User"})
	not policy.applies with input as masters({"name": "admins"})
}
