package postscan.identity.default_account_has_rights_test

import data.postscan.identity.default_account_has_rights as policy
import data.postscan.identity.fixture_test as fixture

default_account(changes) := object.union(fixture.clean, {"default": true, "grants": [object.union(fixture.grant, changes)]})

test_fails_for_any_binding if {
	denied := policy.deny with input as default_account({})
	fixture.severities(denied) == {"high"}
	some d in denied
	d.path == "grants[0]"
	d.key == "shop/Role/own"
	d.value.rights == "get configmaps, get pods, get services"
	d.value.path == "shop/RoleBinding/own → shop/Role/own"
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as default_account({"bootstrap": true})
	fixture.severities(denied) == {"info"}
}

test_rights_of_a_group_are_judged_there if {
	count(policy.deny) == 0 with input as default_account({"via": "system:serviceaccounts"})
}

test_others_are_not_meant if {
	policy.applies with input as default_account({})
	not policy.applies with input as fixture.clean
	not policy.applies with input as object.union(default_account({}), {"type": "User"})
}
