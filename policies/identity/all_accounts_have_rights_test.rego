package postscan.identity.all_accounts_have_rights_test

import data.postscan.identity.all_accounts_have_rights as policy
import data.postscan.identity.fixture_test as fixture

group(name, rights) := object.union(fixture.of(rights), {"type": "Group", "name": name})

test_fails_for_takeover_rights_and_secrets if {
	every name in ["system:serviceaccounts", "system:serviceaccounts:shop"] {
		every r in [
			fixture.right("pods/exec", ["create"]), fixture.right("secrets", ["get"]), fixture.right("serviceaccounts/token", ["create"]),
		] {
			denied := policy.deny with input as group(name, [r])
			fixture.severities(denied) == {"high"}
		}
	}
	denied := policy.deny with input as group("system:serviceaccounts", [fixture.right("pods/exec", ["create"])])
	{d.message | some d in denied} == {concat("", [
		"every service account can run commands in pods in the namespace shop: create pods/exec, ",
		"by shop/RoleBinding/own → shop/Role/own → rules[0]",
	])}
}

test_passes_for_harmless_rights if {
	count(policy.deny) == 0 with input as group("system:serviceaccounts", [fixture.right("services", ["create"])])
}

test_what_comes_with_the_cluster_is_told_apart if {
	installed := object.union(fixture.system([fixture.right("secrets", ["get"])]), {"type": "Group", "name": "system:serviceaccounts"})
	denied := policy.deny with input as installed
	fixture.severities(denied) == {"info"}
}

test_others_are_not_meant if {
	policy.applies with input as group("system:serviceaccounts:shop", [])
	not policy.applies with input as group("system:authenticated", [])
	not policy.applies with input as fixture.clean
}
