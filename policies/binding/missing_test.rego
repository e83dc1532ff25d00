package postscan.binding.missing_test

import data.postscan.binding.missing as policy

binding(changes) := object.union(clean, changes)

clean := {
	"kind": "RoleBinding",
	"namespace": "shop",
	"bootstrap": false,
	"role": {
		"kind": "Role",
		"namespace": "shop",
		"name": "reader",
		"found": "true",
		"bootstrap": false,
		"aggregated": false,
	},
	"role_path": "roleRef",
	"subjects": [subject({})],
}

subject(changes) := object.union(
	{
		"kind": "ServiceAccount",
		"namespace": "shop",
		"name": "web",
		"found": "true",
		"waits": false,
		"path": "subjects[0]",
	},
	changes,
)

test_fails_for_a_missing_role if {
	denied := policy.deny with input as binding({"role": {"found": "false"}})
	denied == {{
		"message": "the role shop/Role/reader does not exist: whoever creates it decides what the binding gives",
		"path": "roleRef",
		"value": {"system": false, "role": "shop/Role/reader", "mend": "delete the binding"},
		"key": "role",
		"severity": "low",
	}}
}

test_fails_for_a_missing_account if {
	gone := [subject({}), subject({"name": "gone", "found": "false", "path": "subjects[1]"})]
	denied := policy.deny with input as binding({"subjects": gone})
	{[d.path, d.key, d.severity] | some d in denied} == {["subjects[1]", "shop/gone", "low"]}
}

test_says_where_the_namespace_is_gone_too if {
	denied := policy.deny with input as binding({"subjects": [subject({"found": "false", "waits": true})]})
	{d.message | some d in denied} == {concat("", [
		"the service account shop/web does not exist, and its namespace does not either: ",
		"whoever creates it inherits shop/Role/reader",
	])}
}

test_accounts_of_components_that_are_not_in_use_are_told_apart if {
	denied := policy.deny with input as binding({"bootstrap": true, "subjects": [subject({"found": "false"})]})
	{[d.severity, d.value.system] | some d in denied} == {["info", true]}
}

test_passes_for_what_exists_and_what_has_no_object if {
	count(policy.deny) == 0 with input as clean
	count(policy.deny) == 0 with input as binding({"subjects": [subject({"kind": "User", "name": "alice", "found": "unknown"})]})
	count(policy.deny) == 0 with input as binding({"role": {"found": "unknown"}})
}
