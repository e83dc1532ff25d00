package postscan.identity.everyone_has_rights_test

import data.postscan.identity.everyone_has_rights as policy
import data.postscan.identity.fixture_test as fixture

everyone(changes) := object.union(fixture.clean, {
	"type": "Group", "name": "system:authenticated", "grants": [object.union(fixture.grant, changes)],
})

test_fails_for_any_binding if {
	denied := policy.deny with input as everyone({})
	fixture.severities(denied) == {"high"}
}

test_on_gke_it_is_critical if {
	denied := policy.deny with input as object.union(everyone({}), {"cluster": {"distribution": "gke"}})
	fixture.severities(denied) == {"critical"}
}

test_the_roles_for_everyone_pass_by_name_and_content if {
	every name in ["system:basic-user", "system:discovery", "system:public-info-viewer"] {
		role := {"kind": "ClusterRole", "namespace": "", "name": name, "bootstrap": true}
		count(policy.deny) == 0 with input as everyone({"role": role})
		widened := policy.deny with input as everyone({"role": object.union(role, {"bootstrap": false})})
		fixture.severities(widened) == {"high"}
	}
}

test_others_are_not_meant if {
	policy.applies with input as everyone({})
	not policy.applies with input as object.union(everyone({}), {"name": "admins"})
	not policy.applies with input as object.union(everyone({}), {"type": "User"})
}
