package postscan.admissionpolicy.engine_does_not_block_test

import data.postscan.admissionpolicy.engine_does_not_block as policy

object_of(changes) := object.union(
	{
		"engine": "kyverno",
		"kind": "ClusterPolicy",
		"action": "Enforce",
		"blocks": true,
		"validates": true,
		"failure_policy": "Fail",
		"skips_user_namespaces": false,
		"pods": true,
		"system": "",
		"webhook": "",
		"path": "spec",
	},
	changes,
)

webhook(changes) := object.union(
	object_of({"engine": "validating-webhook", "kind": "ValidatingWebhookConfiguration", "action": "", "path": "webhooks[0]"}),
	changes,
)

keys(denied) := {d.key | some d in denied}

test_actions_that_only_advise if {
	keys(policy.deny) == {"action"} with input as object_of({"action": "Audit", "blocks": false})
	constraint := {"engine": "gatekeeper", "blocks": false, "failure_policy": ""}
	keys(policy.deny) == {"action"} with input as object_of(object.union(constraint, {"action": "dryrun"}))
	keys(policy.deny) == {"action"} with input as object_of(object.union(constraint, {"action": "warn"}))
	keys(policy.deny) == {"action"} with input as object_of({"engine": "vap", "action": "none", "blocks": false})
	keys(policy.deny) == {"action"} with input as object_of({"engine": "vap", "action": "Audit", "blocks": false})
}

test_failing_open if {
	keys(policy.deny) == {"failure-policy"} with input as webhook({"failure_policy": "Ignore", "blocks": false})
	keys(policy.deny) == {"failure-policy"} with input as object_of({"engine": "vap", "action": "Deny", "failure_policy": "Ignore"})
	gatekeeper := webhook({"failure_policy": "Ignore", "blocks": false, "system": "gatekeeper"})
	keys(policy.deny) == {"failure-policy"} with input as gatekeeper
}

test_namespaces_of_users_left_out if {
	keys(policy.deny) == {"namespaces"} with input as webhook({"skips_user_namespaces": true})
}

test_passes if {
	keys(policy.deny) == set() with input as object_of({})
	keys(policy.deny) == set() with input as webhook({})
	keys(policy.deny) == set() with input as object_of({"engine": "gatekeeper", "action": "deny", "failure_policy": ""})
}

test_not_applicable if {
	others := [
		webhook({"pods": false, "failure_policy": "Ignore", "blocks": false}),
		webhook({"engine": "mutating-webhook", "validates": false, "failure_policy": "Ignore", "blocks": false}),
		webhook({"system": "istio", "failure_policy": "Ignore", "blocks": false}),
		object_of({"validates": false, "action": "Audit", "blocks": false}),
	]
	every doc in others {
		keys(policy.deny) == set() with input as doc
	}
	not policy.applies with input as others[0]
}
