package postscan.identity.mints_tokens_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.mints_tokens as policy

test_fails_in_a_namespace if {
	denied := policy.deny with input as fixture.of([fixture.right("serviceaccounts/token", ["create"])])
	fixture.severities(denied) == {"high"}
}

test_for_the_cluster_it_is_critical if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("serviceaccounts/token", ["create"])])
	fixture.severities(denied) == {"critical"}
}

test_in_a_system_namespace_it_is_critical if {
	denied := policy.deny with input as fixture.of([object.union(fixture.right("serviceaccounts/token", ["create"]), {"system": true})])
	fixture.severities(denied) == {"critical"}
}

test_a_name_in_every_namespace_is_high if {
	denied := policy.deny with input as fixture.everywhere([fixture.named("serviceaccounts/token", ["create"], ["default"])])
	fixture.severities(denied) == {"high"}
}

test_one_account_by_name_passes if {
	count(policy.deny) == 0 with input as fixture.of([fixture.named("serviceaccounts/token", ["create"], ["web"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("serviceaccounts/token", ["create"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("serviceaccounts/token", ["create"])])
}
