package postscan.workload.image_registry_not_allowed_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.image_registry_not_allowed as policy

params := object.union(fixture.params, {"allowed_registries": ["registry.example.com/team", "ghcr.io/acme"]})

image(registry, repository) := fixture.with_container({"image": object.union(
	fixture.app.image,
	{"registry": registry, "repository": repository},
)})

test_fails_for_another_registry if {
	denied := policy.deny with input as image("docker.io", "library/nginx") with data.params as params
	denied == {{
		"message": "the image of container app is outside the allowed registries: docker.io/library/nginx",
		"path": "spec.template.spec.containers[0].image",
		"value": "docker.io/library/nginx",
		"key": "app",
	}}
}

test_fails_for_an_image_volume if {
	volume := {"type": "image", "image": object.union(fixture.app.image, {"registry": "quay.io"})}
	denied := policy.deny with input as fixture.with_volume(volume) with data.params as params
	{d.key | some d in denied} == {"volume data"}
}

test_passes_for_allowed_ones if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as params
	count(policy.deny) == 0 with input as image("ghcr.io", "acme/app") with data.params as params
}

test_unknown_for_a_name_that_cannot_be_read if {
	count(policy.unknown) == 1 with input as image("", "") with data.params as params
}

test_unknown_for_a_volume_whose_image_cannot_be_read if {
	unread := {"reference": "a b", "registry": "", "repository": "", "tag": "", "digest": ""}
	volume := fixture.with_volume({"type": "image", "image": unread})
	count(policy.unknown) == 1 with input as volume with data.params as {"allowed_registries": ["registry.example.com"]}
}
