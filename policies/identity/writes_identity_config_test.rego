package postscan.identity.writes_identity_config_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.writes_identity_config as policy

in_kube_system(r) := fixture.of([object.union(r, {"namespaces": ["kube-system", "shop"], "system": true})])

test_fails_in_kube_system if {
	denied := policy.deny with input as in_kube_system(fixture.right("configmaps", ["patch"]))
	fixture.severities(denied) == {"high"}
}

test_fails_for_the_cluster if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("configmaps", ["create"])])
	fixture.severities(denied) == {"high"}
}

test_fails_for_a_name_that_decides if {
	denied := policy.deny with input as in_kube_system(fixture.named("configmaps", ["update"], ["mine", "coredns"]))
	fixture.severities(denied) == {"high"}
}

test_passes_elsewhere_with_names_and_for_reading if {
	count(policy.deny) == 0 with input as fixture.of([fixture.right("configmaps", ["update"])])
	count(policy.deny) == 0 with input as in_kube_system(fixture.named("configmaps", ["update"], ["mine"]))
	count(policy.deny) == 0 with input as in_kube_system(fixture.right("configmaps", ["get", "delete"]))
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("configmaps", ["update"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("configmaps", ["update"])])
}
