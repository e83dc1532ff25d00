package postscan.identity.writes_admission_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.writes_admission as policy

test_fails_for_every_kind_and_verb if {
	every kind in [
		"mutatingwebhookconfigurations",
		"validatingwebhookconfigurations",
		"validatingadmissionpolicies",
		"validatingadmissionpolicybindings",
		"mutatingadmissionpolicies",
		"mutatingadmissionpolicybindings",
	] {
		every verb in ["create", "update", "patch", "delete"] {
			denied := policy.deny with input as fixture.everywhere([fixture.right(sprintf("%s.admissionregistration.k8s.io", [kind]), [verb])])
			fixture.severities(denied) == {"critical"}
		}
	}
}

test_passes_without if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([
		fixture.right("mutatingwebhookconfigurations.admissionregistration.k8s.io", ["patch"]),
	])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([
		fixture.right("mutatingwebhookconfigurations.admissionregistration.k8s.io", ["patch"]),
	])
}
