package postscan.lib.pod_security_test

import data.postscan.lib.pod_security

namespace(minor) := {"namespace": {"pod_security": {"enforce_minor": minor}}}

test_version_of_the_namespace if {
	pod_security.minor == 24 with input as namespace(24) with data.params as {"pss_version": ""}
	pod_security.minor == 0 with input as namespace(0) with data.params as {"pss_version": ""}
	pod_security.minor == 24 with input as namespace(24) with data.params as {}
}

test_version_that_was_asked_for_wins if {
	pod_security.minor == 31 with input as namespace(24) with data.params as {"pss_version": "v1.31"}
	pod_security.minor == 999 with input as namespace(24) with data.params as {"pss_version": "latest"}
}

test_unreadable_version_is_the_latest if {
	pod_security.minor == 999 with input as namespace(24) with data.params as {"pss_version": "1.x"}
	pod_security.minor == 999 with input as {} with data.params as {"pss_version": ""}
}

test_shown if {
	pod_security.shown("") == "empty"
	pod_security.shown("Unmasked") == "Unmasked"
}
