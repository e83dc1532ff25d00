package postscan.identity.writes_rbac_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.writes_rbac as policy

test_fails_for_every_kind_and_verb if {
	every resource in [
		"clusterroles.rbac.authorization.k8s.io",
		"roles.rbac.authorization.k8s.io",
		"clusterrolebindings.rbac.authorization.k8s.io",
		"rolebindings.rbac.authorization.k8s.io",
	] {
		every verb in ["create", "update", "patch", "delete"] {
			denied := policy.deny with input as fixture.everywhere([fixture.right(resource, [verb])])
			fixture.severities(denied) == {"medium"}
		}
	}
}

test_what_escalate_and_bind_make_of_it_is_judged_there if {
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate", "update"]),
	])
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
}

test_a_verb_that_leads_nowhere_does_not_hide_it if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["delete"]),
	])
	fixture.severities(denied) == {"medium"}
}

test_passes_for_reading if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("rolebindings.rbac.authorization.k8s.io", [])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("rolebindings.rbac.authorization.k8s.io", ["create"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("rolebindings.rbac.authorization.k8s.io", ["create"])])
}
