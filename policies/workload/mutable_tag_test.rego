package postscan.workload.mutable_tag_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.mutable_tag as policy

image(tag, digest) := fixture.with_container({"image": object.union(
	fixture.app.image,
	{"reference": "registry.example.com/team/web", "tag": tag, "digest": digest},
)})

test_fails_without_tag_and_for_latest if {
	denied := policy.deny with input as image("", "")
	denied == {{
		"message": "the image of container app has no tag and no digest: registry.example.com/team/web",
		"path": "spec.template.spec.containers[0].image",
		"value": "registry.example.com/team/web",
		"key": "app",
	}}
	count(policy.deny) == 1 with input as image("latest", "")
}

test_fails_for_an_image_volume if {
	volume := {"type": "image", "image": object.union(fixture.app.image, {"tag": "latest", "digest": ""})}
	denied := policy.deny with input as fixture.with_volume(volume)
	{d.key | some d in denied} == {"volume data"}
}

test_passes_for_a_version_or_a_digest if {
	count(policy.deny) == 0 with input as image("1.2", "")
	count(policy.deny) == 0 with input as image("latest", "sha256:0")
	count(policy.deny) == 0 with input as fixture.clean
}

test_unknown_for_a_name_that_cannot_be_read if {
	count(policy.unknown) == 1 with input as fixture.with_container({"image": object.union(fixture.app.image, {"repository": ""})})
	count(policy.unknown) == 0 with input as fixture.clean
}

test_unknown_for_a_volume_whose_image_cannot_be_read if {
	unread := {"reference": "a b", "registry": "", "repository": "", "tag": "", "digest": ""}
	count(policy.unknown) == 1 with input as fixture.with_volume({"type": "image", "image": unread})
}
