package postscan.namespace.weak_pod_security_test

import data.postscan.namespace.fixture_test as fixture
import data.postscan.namespace.weak_pod_security as policy

security(changes) := fixture.namespace({"pod_security": changes})

pinned(version, minor) := security({"enforce_version": version, "enforce_minor": minor})

keys(denied) := {d.key | some d in denied}

test_privileged if {
	keys(policy.deny) == {"level"} with input as security({"enforce": "privileged", "enforce_label": "privileged"})
	system := object.union(security({"enforce": "privileged", "enforce_label": "privileged"}), {"system": true})
	keys(policy.deny) == set() with input as system
}

test_old_version if {
	keys(policy.deny) == {"version"} with input as pinned("v1.33", 33)
	keys(policy.deny) == set() with input as pinned("v1.34", 34)
	keys(policy.deny) == set() with input as pinned("latest", 999)
	keys(policy.deny) == set() with input as object.union(pinned("v1.33", 33), {"cluster": {"minor": 0}})
}

test_invalid_values if {
	denied := policy.deny with input as security({"invalid": ["pod-security.kubernetes.io/warn"]})
	{d.path | some d in denied} == {"metadata.labels[pod-security.kubernetes.io/warn]"}
}

test_passes if {
	keys(policy.deny) == set() with input as fixture.clean
	keys(policy.deny) == set() with input as security({"enforce": "privileged", "enforce_label": "unset", "enforce_minor": 20})
}
