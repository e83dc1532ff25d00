package postscan.identity.escalate_test

import data.postscan.identity.escalate as policy
import data.postscan.identity.fixture_test as fixture

test_fails_on_cluster_roles if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate", "update"])])
	fixture.severities(denied) == {"critical"}
}

test_in_two_rules_too if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate"]), fixture.right("clusterroles.rbac.authorization.k8s.io", ["patch"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_on_roles_it_is_high if {
	denied := policy.deny with input as fixture.of([fixture.right("roles.rbac.authorization.k8s.io", ["escalate", "patch"])])
	fixture.severities(denied) == {"high"}
}

test_on_roles_of_a_system_namespace_it_is_critical if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("roles.rbac.authorization.k8s.io", ["escalate", "patch"])])
	fixture.severities(denied) == {"critical"}
}

test_the_verb_alone_passes if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate"])])
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["update", "patch", "create"]),
	])
}

test_create_counts_with_bind if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind", "create", "escalate"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_create_alone_passes if {
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["create", "escalate"]),
	])
}

test_create_counts_with_a_role_that_takes_others_in if {
	denied := policy.deny with input as object.union(
		fixture.everywhere([
			fixture.right("clusterroles.rbac.authorization.k8s.io", ["create", "escalate"]),
		]),
		{"grants": [object.union(fixture.cluster_grant, {"role": {"aggregated": true}})]},
	)
	fixture.severities(denied) == {"critical"}
}

test_rights_that_do_not_meet_pass if {
	count(policy.deny) == 0 with input as fixture.of([
		fixture.right("roles.rbac.authorization.k8s.io", ["escalate"]), object.union(fixture.right("roles.rbac.authorization.k8s.io", ["update"]), {"namespaces": ["ops"]}),
	])
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.named("clusterroles.rbac.authorization.k8s.io", ["escalate"], ["a"]),
		fixture.named("clusterroles.rbac.authorization.k8s.io", ["update"], ["b"]),
	])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate", "update"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("clusterroles.rbac.authorization.k8s.io", ["escalate", "update"])])
}
