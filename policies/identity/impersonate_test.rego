package postscan.identity.impersonate_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.impersonate as policy

version(minor, rights, verbs) := object.union(
	fixture.everywhere(rights),
	{"cluster": {"minor": minor}, "grants": [object.union(fixture.cluster_grant, {"rules": [fixture.rule(verbs, [""], ["pods"])]})]},
)

test_groups_are_critical if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("groups", ["impersonate"])])
	fixture.severities(denied) == {"critical"}
}

test_users_are_critical if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("users", ["impersonate"])])
	fixture.severities(denied) == {"critical"}
}

test_names_are_medium if {
	denied := policy.deny with input as fixture.everywhere([fixture.named("groups", ["impersonate"], ["readers"])])
	fixture.severities(denied) == {"medium"}
}

test_unless_one_is_system_masters if {
	denied := policy.deny with input as fixture.everywhere([fixture.named("groups", ["impersonate"], ["readers", "system:masters"])])
	fixture.severities(denied) == {"critical"}
}

test_service_accounts_of_the_cluster_are_critical if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("serviceaccounts", ["impersonate"])])
	fixture.severities(denied) == {"critical"}
}

test_those_of_a_namespace_are_high if {
	denied := policy.deny with input as fixture.of([fixture.right("serviceaccounts", ["impersonate"])])
	fixture.severities(denied) == {"high"}
}

test_what_goes_with_a_user_is_high if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("userextras.authentication.k8s.io/*", ["impersonate"]), fixture.right("uids.authentication.k8s.io", ["impersonate"]),
	])
	fixture.severities(denied) == {"high"}
}

constrained := fixture.right("users.authentication.k8s.io", ["impersonate:user-info"])

test_constrained_verbs_take_a_second_one if {
	denied := policy.deny with input as version(36, [constrained], ["impersonate-on:user-info:list"])
	fixture.severities(denied) == {"high"}
	count(policy.deny) == 0 with input as version(36, [constrained], ["list"])
	limited := policy.deny with input as version(36, [object.union(constrained, {"names": ["a"]})], ["*"])
	fixture.severities(limited) == {"medium"}
}

test_constrained_verbs_mean_nothing_before_1_36 if {
	count(policy.deny) == 0 with input as version(35, [constrained], ["impersonate-on:user-info:list"])
	denied := policy.deny with input as version(0, [constrained], ["impersonate-on:user-info:list"])
	fixture.severities(denied) == {"high"}
}

test_passes_for_other_verbs_and_api_groups if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("serviceaccounts", ["create", "get"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("users.authentication.k8s.io", ["impersonate"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("users", ["impersonate"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("users", ["impersonate"])])
}

test_accounts_of_a_namespace_with_a_powerful_one_are_critical if {
	powerful := object.union(fixture.right("serviceaccounts", ["impersonate"]), {"privileged": true})
	denied := policy.deny with input as fixture.of([powerful])
	fixture.severities(denied) == {"critical"}
}
