package postscan.workload.apparmor_off_test

import data.postscan.workload.apparmor_off as policy
import data.postscan.workload.fixture_test as fixture

note(value) := fixture.pod({"apparmor_annotations": [{
	"container": "gone",
	"exists": false,
	"value": value,
	"path": "spec.template.metadata.annotations[a]",
}]})

test_fails_for_unconfined if {
	denied := policy.deny with input as fixture.pod({"security_context": {"apparmor": "Unconfined"}})
	denied == {{
		"message": "the AppArmor profile of the pod is Unconfined",
		"path": "spec.template.spec.securityContext.appArmorProfile.type",
		"value": "Unconfined",
		"key": "pod",
	}}
}

test_fails_for_an_annotation if {
	every value in ["unconfined", "default"] {
		count(policy.deny) == 1 with input as note(value)
	}
}

test_passes_for_profiles_or_none if {
	every profile in ["unset", "RuntimeDefault", "Localhost"] {
		count(policy.deny) == 0 with input as fixture.pod({"security_context": {"apparmor": profile}})
	}
	every value in ["", "runtime/default", "localhost/mine"] {
		count(policy.deny) == 0 with input as note(value)
	}
}

test_fails_for_a_container_of_its_own if {
	context := object.union(fixture.app.security_context, {"apparmor": "Unconfined"})
	denied := policy.deny with input as fixture.with_container({"security_context": context})
	{[d.key, d.path] | some d in denied} == {["app", "spec.template.spec.containers[0].securityContext.appArmorProfile.type"]}
}
