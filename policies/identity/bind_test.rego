package postscan.identity.bind_test

import data.postscan.identity.bind as policy
import data.postscan.identity.fixture_test as fixture

test_fails_with_cluster_role_bindings if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_with_role_bindings_it_is_high if {
	denied := policy.deny with input as fixture.of([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("rolebindings.rbac.authorization.k8s.io", ["create"]),
	])
	fixture.severities(denied) == {"high"}
}

test_on_roles_too if {
	denied := policy.deny with input as fixture.of([
		fixture.right("roles.rbac.authorization.k8s.io", ["bind"]), fixture.right("rolebindings.rbac.authorization.k8s.io", ["update"]),
	])
	fixture.severities(denied) == {"high"}
}

test_in_a_system_namespace_it_is_critical if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.right("roles.rbac.authorization.k8s.io", ["bind"]), fixture.right("rolebindings.rbac.authorization.k8s.io", ["patch"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_each_alone_passes if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"])])
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("rolebindings.rbac.authorization.k8s.io", ["delete"]), fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]),
	])
}

test_named_roles_pass if {
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.named("clusterroles.rbac.authorization.k8s.io", ["bind"], ["view"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
}

test_a_name_that_is_cluster_admin_fails if {
	denied := policy.deny with input as fixture.everywhere([
		fixture.named("clusterroles.rbac.authorization.k8s.io", ["bind"], ["view", "cluster-admin"]),
		fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_a_role_cannot_be_bound_for_the_cluster if {
	count(policy.deny) == 0 with input as fixture.everywhere([
		fixture.right("roles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
}

test_bind_in_one_namespace_is_not_for_the_cluster if {
	count(policy.deny) == 0 with input as fixture.of([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), object.union(fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]), fixture.wide),
	])
}

test_both_halves_are_told if {
	denied := policy.deny with input as fixture.of([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), object.union(fixture.right("rolebindings.rbac.authorization.k8s.io", ["create"]), {"rule": 1}),
	])
	{d.value.rights | some d in denied} == {"bind clusterroles.rbac.authorization.k8s.io; create rolebindings.rbac.authorization.k8s.io"}
	{d.value.path | some d in denied} == {"shop/RoleBinding/own → shop/Role/own → rules[0], rules[1]"}
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([
		fixture.right("clusterroles.rbac.authorization.k8s.io", ["bind"]), fixture.right("clusterrolebindings.rbac.authorization.k8s.io", ["create"]),
	])
}
