package postscan.workload.shared_process_namespace_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.shared_process_namespace as policy

with_second(changes) := fixture.pod({
	"share_process_namespace": true,
	"containers": [fixture.app, object.union_n([fixture.app, {"name": "side"}, changes])],
})

test_fails_for_different_images_or_capabilities if {
	image := object.union(fixture.app.image, {"reference": "registry.example.com/team/log:1"})
	capable := object.union(fixture.app.effective, {"capabilities": ["SYS_PTRACE"]})
	every changes in [{"image": image}, {"effective": capable}] {
		denied := policy.deny with input as with_second(changes)
		denied == {{
			"message": "the containers app, side share their processes",
			"path": "spec.template.spec.shareProcessNamespace",
			"value": true,
		}}
	}
}

test_passes_for_one_program if {
	count(policy.deny) == 0 with input as with_second({})
	count(policy.deny) == 0 with input as fixture.pod({"share_process_namespace": true})
}

test_passes_for_an_init_container_and_without_sharing if {
	image := object.union(fixture.app.image, {"reference": "registry.example.com/team/log:1"})
	count(policy.deny) == 0 with input as with_second({"image": image, "role": "init"})
	count(policy.deny) == 0 with input as object.union(with_second({"image": image}), {"share_process_namespace": false})
}
