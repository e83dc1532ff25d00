package postscan.workload.untrusted_shared_kernel_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.untrusted_shared_kernel as policy

params := object.union(fixture.params, {"sandbox_handlers": ["our-box"]})

trust(value, class) := fixture.pod({"class": {"trust": value}, "runtime_class": class})

image(repository) := fixture.with_container({"image": object.union(fixture.app.image, {"repository": repository})})

test_fails_for_what_is_labelled if {
	denied := policy.deny with input as trust("untrusted", {}) with data.params as params
	denied == {{
		"message": "it is labelled untrusted, and it runs on the kernel of its node (no runtime class)",
		"path": "spec.template.spec.runtimeClassName",
		"value": "",
	}}
	runc := {"name": "fast", "handler": "crun"}
	count(policy.deny) == 1 with input as trust("untrusted", runc) with data.params as params
}

test_fails_for_runners if {
	every repository in ["actions/actions-runner", "mirror/gitlab-org/gitlab-runner", "jenkins/inbound-agent", "jupyter/base-notebook"] {
		count(policy.deny) == 1 with input as image(repository) with data.params as params
	}
}

test_passes_in_a_sandbox if {
	every handler in ["runsc", "kata-qemu", "our-box"] {
		denied := policy.deny with input as trust("untrusted", {"name": "box", "handler": handler}) with data.params as params
		count(denied) == 0
	}
	fargate := object.union(trust("untrusted", {}), {"nodes": {"pod_per_machine": "true"}})
	count(policy.deny) == 0 with input as fargate with data.params as params
}

test_says_nothing_by_the_name_of_a_class_that_was_not_seen if {
	every name in ["gvisor", "fast"] {
		unseen := {"name": name, "handler": name, "exists": "unknown"}
		count(policy.deny) == 0 with input as trust("untrusted", unseen) with data.params as params
	}
	seen := {"name": "fast", "handler": "runc", "exists": "true"}
	count(policy.deny) == 1 with input as trust("untrusted", seen) with data.params as params
}

test_not_applicable_to_others if {
	not policy.applies with input as fixture.clean
	not policy.applies with input as image("team/actions-runner-docs")
	not policy.applies with input as object.union(image("actions/actions-runner"), {"class": {"trust": "default"}})
	policy.applies with input as trust("untrusted", {})
}
