package postscan.cluster.openshift_settings_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.openshift_settings as policy

good := {"present": true, "kubeadmin": "false", "encryption": "aescbc", "audit_profile": "Default", "allowed_registries": true}

keys(denied) := {d.key | some d in denied}

test_fails if {
	keys(policy.deny) == {"kubeadmin"} with input as fixture.cluster({"openshift": object.union(good, {"kubeadmin": "true"})})
	keys(policy.deny) == {"encryption"} with input as fixture.cluster({"openshift": object.union(good, {"encryption": ""})})
	keys(policy.deny) == {"encryption"} with input as fixture.cluster({"openshift": object.union(good, {"encryption": "identity"})})
	case_1 := fixture.cluster({"openshift": object.union(good, {"allowed_registries": false})})
	keys(policy.deny) == {"allowed-registries"} with input as case_1
	case_2 := fixture.cluster({"openshift": object.union(good, {"insecure_registries": true})})
	keys(policy.deny) == {"insecure-registries"} with input as case_2
	case_3 := fixture.cluster({"openshift": object.union(good, {"unsupported_overrides": true})})
	keys(policy.deny) == {"overrides"} with input as case_3
	keys(policy.deny) == {"audit"} with input as fixture.cluster({"openshift": object.union(good, {"audit_profile": "None"})})
}

test_unknown if {
	case := fixture.cluster({"openshift": object.union(good, {"kubeadmin": "unknown"})})
	count(policy.unknown) == 1 with input as case
	count(policy.unknown) == 0 with input as fixture.clean
}

test_not_applicable_elsewhere if {
	not policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}

test_passes if {
	keys(policy.deny) == set() with input as fixture.cluster({"openshift": object.union(good, {})})
}
