package postscan.role.wildcards_test

import data.postscan.role.fixture_test as fixture
import data.postscan.role.wildcards as policy

role(rules) := fixture.of({"bound": false, "rules": rules})

test_fails_where_nothing_binds_it if {
	denied := policy.deny with input as role([fixture.rule(["get"], [""], ["pods"]), fixture.rule(["*"], ["apps"], ["deployments"])])
	denied == {{
		"message": concat("", [
			"gives rights by a wildcard to whoever is bound to it (every verb on deployments of apps); ",
			"no binding in view does so",
		]),
		"path": "rules[1]",
		"value": {
			"system": false,
			"rights": ["every verb on deployments of apps"],
			"mend": "name the verbs and resources that are used, or delete the role",
		},
		"severity": "low",
	}}
}

test_everything_at_once_counts_here if {
	denied := policy.deny with input as role([fixture.rule(["*"], ["*"], ["*"])])
	count(denied) == 1
}

test_where_a_binding_is_in_view_the_identities_are_judged if {
	policy.applies with input as role([])
	not policy.applies with input as fixture.of({"bound": true})
}

test_passes_without_wildcard_and_for_what_comes_with_the_cluster if {
	count(policy.deny) == 0 with input as role([fixture.rule(["get"], [""], ["pods"]), fixture.rule(["*"], [""], ["nodes/*"])])
	count(policy.deny) == 0 with input as fixture.of({"bound": false, "bootstrap": true, "rules": [fixture.rule(["*"], ["*"], ["*"])]})
}
