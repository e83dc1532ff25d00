package postscan.role.aggregated_role_widened_test

import data.postscan.role.aggregated_role_widened as policy
import data.postscan.role.fixture_test as fixture

adds(to, rights) := fixture.of({"aggregates_to": [to], "rights": rights})

test_fails_for_secrets_in_view if {
	denied := policy.deny with input as adds("view", [fixture.right(1, "secrets", ["create", "get", "list"])])
	denied == {{
		"message": "adds to the default role view: get, list secrets",
		"path": "rules[1]",
		"value": {"role": "view", "rights": "get, list secrets", "mend": "remove the label, or the rule"},
		"key": "view secrets",
	}}
}

test_fails_for_each_kind if {
	every r in [
		["pods/exec", "create"],
		["pods/attach", "get"],
		["users", "impersonate"],
		["serviceaccounts", "impersonate"],
		["clusterroles.rbac.authorization.k8s.io", "escalate"],
		["roles.rbac.authorization.k8s.io", "bind"],
		["rolebindings.rbac.authorization.k8s.io", "create"],
		["clusterrolebindings.rbac.authorization.k8s.io", "delete"],
	] {
		denied := policy.deny with input as adds("view", [fixture.right(0, r[0], [r[1]])])
		count(denied) == 1
	}
}

test_what_the_default_role_has_already_is_not_added if {
	every to in ["edit", "admin"] {
		every r in [["secrets", "get"], ["pods/exec", "create"], ["serviceaccounts", "impersonate"]] {
			count(policy.deny) == 0 with input as adds(to, [fixture.right(0, r[0], [r[1]])])
		}
		more := policy.deny with input as adds(to, [fixture.right(0, "groups", ["impersonate"])])
		count(more) == 1
	}
	bindings := [fixture.right(0, "rolebindings.rbac.authorization.k8s.io", ["create"])]
	count(policy.deny) == 0 with input as adds("admin", bindings)
	denied := policy.deny with input as adds("edit", bindings)
	count(denied) == 1
}

test_each_default_role_and_each_resource_once if {
	twice := [fixture.right(0, "secrets", ["get"]), fixture.right(2, "secrets", ["list"])]
	denied := policy.deny with input as fixture.of({"aggregates_to": ["edit", "view"], "rights": twice})
	{d.path | some d in denied} == {"rules[0]"}
	count(denied) == 1
}

test_passes_for_harmless_rights_and_for_what_comes_with_the_cluster if {
	count(policy.deny) == 0 with input as adds("view", [fixture.right(0, "pods", ["get", "list"])])
	installed := object.union(adds("view", [fixture.right(0, "secrets", ["get"])]), {"bootstrap": true})
	count(policy.deny) == 0 with input as installed
}

test_other_roles_are_not_meant if {
	policy.applies with input as adds("view", [])
	not policy.applies with input as adds("mine", [])
	count(policy.deny) == 0 with input as adds("mine", [fixture.right(0, "secrets", ["get"])])
}
