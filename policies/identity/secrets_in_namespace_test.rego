package postscan.identity.secrets_in_namespace_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.secrets_in_namespace as policy

test_fails_for_reading if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["get"])])
	fixture.severities(denied) == {"medium"}
}

test_fails_for_writing if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["create"])])
	fixture.severities(denied) == {"medium"}
}

test_high_where_the_way_leads_on if {
	every more in [{"system": true}, {"privileged": true}] {
		denied := policy.deny with input as fixture.of([object.union(fixture.right("secrets", ["get"]), more)])
		fixture.severities(denied) == {"high"}
	}
}

test_reading_is_told_before_writing if {
	denied := policy.deny with input as fixture.of([fixture.right("secrets", ["create", "get"])])
	{d.message | some d in denied} == {concat("", [
		"can read the Secrets in the namespace shop: create, get secrets, ",
		"by shop/RoleBinding/own → shop/Role/own → rules[0]",
	])}
}

test_passes_with_names_and_cluster_wide if {
	count(policy.deny) == 0 with input as fixture.of([fixture.named("secrets", ["get"], ["a"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("secrets", ["get"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as object.union(fixture.of([fixture.right("secrets", ["get"])]), {
		"grants": [object.union(fixture.grant, {"bootstrap": true})],
	})
	fixture.severities(denied) == {"info"}
}
