package postscan.cluster.no_image_verification_test

import data.postscan.cluster.no_image_verification as policy

verifier(enforces) := {"engine": "kyverno", "name": "signed", "kind": "signature", "enforces": enforces}

cluster(verifiers, flags, registries) := {
	"verifiers": verifiers,
	"api_servers": [{"flags": flags}],
	"openshift": {"allowed_registries": registries},
}

webhook := [{"name": "enable-admission-plugins", "value": "NodeRestriction,ImagePolicyWebhook", "path": ""}]

test_fails_where_nothing_refuses if {
	count(policy.deny) == 1 with input as cluster([], [], false)
	denied := policy.deny with input as cluster([verifier(false)], [], false)
	{d.message | some d in denied} == {"nothing at admission verifies images or limits their registries; signed only warns"}
	other := [{"name": "enable-admission-plugins", "value": "NodeRestriction", "path": ""}]
	count(policy.deny) == 1 with input as cluster([], other, false)
}

test_passes_where_something_does if {
	count(policy.deny) == 0 with input as cluster([verifier(false), verifier(true)], [], false)
	count(policy.deny) == 0 with input as cluster([], webhook, false)
	count(policy.deny) == 0 with input as cluster([], [], true)
}
