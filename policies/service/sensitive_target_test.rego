package postscan.service.sensitive_target_test

import data.postscan.service.fixture_test as fixture
import data.postscan.service.sensitive_target as policy

target(changes) := object.union(
	{"class": "name", "value": "db.example.com", "namespace": "", "same_tenant": false, "path": "spec.externalName"},
	changes,
)

external(changes) := fixture.service({"type": "ExternalName", "selector": false, "targets": [target(changes)]})

keys(denied) := {d.key | some d in denied}

test_sensitive_targets if {
	every class in ["metadata", "loopback", "node", "api-server"] {
		keys(policy.deny) == {"x"} with input as external({"class": class, "value": "x"})
	}
	keys(policy.deny) == {"db.pay.svc"} with input as external({"class": "pod", "namespace": "pay", "value": "db.pay.svc"})
}

test_hand_made_endpoints if {
	doc := fixture.service({"selector": false, "targets": [target({"class": "metadata", "value": "169.254.169.254", "path": "endpoints"})]})
	keys(policy.deny) == {"169.254.169.254"} with input as doc
}

test_other_targets if {
	every class in ["name", "public", "private"] {
		keys(policy.deny) == set() with input as external({"class": class})
	}
	keys(policy.deny) == set() with input as external({"class": "pod", "namespace": "pay", "same_tenant": true})
}

test_unknown_for_a_pod_of_nobody if {
	keys(policy.deny) == set() with input as external({"class": "pod"})
	count(policy.unknown) == 1 with input as external({"class": "pod"})
}

test_not_applicable_with_a_selector_and_to_the_api_server if {
	not policy.applies with input as fixture.clean
	not policy.applies with input as fixture.service({"selector": false, "api_server": true})
}

test_applies_to_external_names if {
	policy.applies with input as external({})
	not policy.applies with input as fixture.clean
}
