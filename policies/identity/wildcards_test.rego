package postscan.identity.wildcards_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.wildcards as policy

test_fails_for_verbs_resources_and_subresources if {
	every rule in [
		fixture.rule(["*"], ["apps"], ["*"]),
		fixture.rule(["*"], [""], ["pods"]),
		fixture.rule(["get"], [""], ["*"]),
		fixture.rule(["create"], [""], ["*/exec"]),
		object.union(fixture.rule(["*"], ["*"], ["*"]), {"resource_names": ["a"]}),
	] {
		denied := policy.deny with input as fixture.ruled([rule], {})
		fixture.severities(denied) == {"high"}
	}
}

test_says_what_the_wildcard_gives if {
	denied := policy.deny with input as fixture.ruled([fixture.rule(["*"], [""], ["pods"])], {})
	some d in denied
	d.value.rights == "every verb on pods of the core group"
	d.value.path == "shop/RoleBinding/own → shop/Role/own → rules[0]"
}

test_forms_that_match_nothing_pass if {
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], [""], ["nodes/*"])], {})
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*/*"])], {})
}

test_what_others_judge_passes if {
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*"])], {})
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["get"], [""], ["*/status"])], {})
	count(policy.deny) == 0 with input as fixture.ruled([object.union(fixture.rule(["*"], [], []), {"non_resource_urls": ["*"]})], {})
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.ruled([fixture.rule(["list"], ["*"], ["*"])], {"bootstrap": true})
	fixture.severities(denied) == {"info"}
}
