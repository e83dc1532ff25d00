package postscan.image.base_not_pinned_test

import data.postscan.image.base_not_pinned as policy
import data.postscan.image.fixture_test as fixture

image(name, tag, digest) := fixture.image({"base": {"name": name, "tag": tag, "digest": digest}})

test_fails_as_medium_without_tag_and_digest if {
	denied := policy.deny with input as image("docker.io/library/debian", "", "")
	denied == {{
		"message": "the base image docker.io/library/debian has no tag and no digest",
		"path": "base",
		"value": {"name": "docker.io/library/debian", "tag": "", "digest": ""},
		"severity": "medium",
	}}
}

test_fails_as_medium_for_latest if {
	denied := policy.deny with input as image("debian:latest", "latest", "")
	denied == {{
		"message": "the base image debian:latest has the tag latest and no digest",
		"path": "base",
		"value": {"name": "debian:latest", "tag": "latest", "digest": ""},
		"severity": "medium",
	}}
}

test_fails_as_info_for_a_tag_without_digest if {
	denied := policy.deny with input as image("debian:12", "12", "")
	denied == {{
		"message": "the base image debian:12 has a tag but no digest",
		"path": "base",
		"value": {"name": "debian:12", "tag": "12", "digest": ""},
		"severity": "info",
	}}
}

test_passes_with_a_digest if {
	every tag in ["", "latest", "12"] {
		denied := policy.deny with input as image("debian", tag, "sha256:aa")
		count(denied) == 0
	}
}

test_passes_with_a_digest_and_no_name if {
	count(policy.deny) == 0 with input as image("", "", "sha256:aa")
}

test_not_applicable_to_scratch if {
	not policy.applies with input as image("scratch", "", "")
}

test_passes_for_a_clean_image if {
	policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.clean
}
