package postscan.workload.image_not_pinned_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.image_not_pinned as policy

image(changes) := fixture.with_container({"image": object.union(fixture.app.image, changes)})

test_fails_for_a_tag_alone if {
	denied := policy.deny with input as image({"reference": "registry.example.com/team/web:1.2", "digest": ""})
	denied == {{
		"message": "the image of container app is named by the tag 1.2 alone",
		"path": "spec.template.spec.containers[0].image",
		"value": "registry.example.com/team/web:1.2",
		"key": "app",
	}}
}

test_passes_with_a_digest if count(policy.deny) == 0 with input as fixture.clean

test_leaves_mutable_tags_to_their_own_check if {
	count(policy.deny) == 0 with input as image({"tag": "latest", "digest": ""})
	count(policy.deny) == 0 with input as image({"tag": "", "digest": ""})
}

test_unknown_for_a_name_that_cannot_be_read if count(policy.unknown) == 1 with input as image({"repository": ""})

test_images_of_volumes if {
	image := {"reference": "registry.example.com/data:1", "registry": "registry.example.com", "repository": "data", "tag": "1", "digest": ""}
	denied := policy.deny with input as fixture.with_volume({"type": "image", "image": image})
	{[d.key, d.path] | some d in denied} == {["volume data", "spec.template.spec.volumes[1].image.reference"]}
}

test_unknown_for_a_volume_whose_image_cannot_be_read if {
	unread := {"reference": "a b", "registry": "", "repository": "", "tag": "", "digest": ""}
	count(policy.unknown) == 1 with input as fixture.with_volume({"type": "image", "image": unread})
}
