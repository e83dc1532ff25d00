package postscan.image.registry_not_allowed_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.registry_not_allowed as policy

image(registry, repository) := fixture.image({"registry": registry, "repository": repository})

params(entries) := object.union(fixture.params, {"allowed_registries": entries})

test_fails_for_another_registry if {
	denied := policy.deny with input as image("docker.io", "library/nginx") with data.params as fixture.params
	denied == {{
		"message": "docker.io/library/nginx is outside the allowed registries",
		"path": "registry",
		"value": "docker.io",
	}}
}

test_fails_for_names_that_only_begin_alike if {
	every case in [
		["registry.example.com.evil.org", "a", "registry.example.com"],
		["registry.example.com:5000", "a", "registry.example.com"],
		["registry.example.com", "a", "registry.example.com:5000"],
		["ghcr.io", "acme-two/app", "ghcr.io/acme"],
		["ghcr.io", "acm", "ghcr.io/acme"],
		["ghcr.io", "app", "ghcr.io/app/sub"],
		["quay.io", "ghcr.io/acme/app", "ghcr.io/acme"],
		["docker.io", "library/nginx", "library/ngin"],
	] {
		denied := policy.deny with input as image(case[0], case[1]) with data.params as params([case[2]])
		count(denied) == 1
	}
}

test_passes_for_allowed_names if {
	every case in [
		["registry.example.com", "a/b", "registry.example.com"],
		["registry.example.com:5000", "a", "registry.example.com:5000/"],
		["ghcr.io", "acme/app", "ghcr.io/acme"],
		["ghcr.io", "acme/app", "ghcr.io/acme/"],
		["ghcr.io", "acme/app", "ghcr.io/acme/*"],
		["ghcr.io", "acme/app", "ghcr.io/**"],
		["ghcr.io", "acme/app", "ghcr.io/acme/app"],
		["docker.io", "library/nginx", "docker.io"],
		["docker.io", "library/nginx", "index.docker.io"],
		["index.docker.io", "library/nginx", "docker.io/library"],
		["docker.io", "library/nginx", "library"],
		["docker.io", "acme/app", "acme/app"],
		["localhost", "app", "localhost"],
		["localhost:5000", "app", "localhost:5000"],
	] {
		denied := policy.deny with input as image(case[0], case[1]) with data.params as params([case[2]])
		count(denied) == 0
	}
}

test_passes_where_any_entry_matches if {
	entries := ["ghcr.io/acme", "registry.example.com", "quay.io"]
	count(policy.deny) == 0 with input as image("quay.io", "x/y") with data.params as params(entries)
}

test_fails_where_an_entry_is_empty if {
	every entry in ["", "/", "/*", "*", "**"] {
		denied := policy.deny with input as image("quay.io", "x/y") with data.params as params([entry])
		count(denied) == 1
	}
}

test_unknown_without_a_registry if {
	count(policy.unknown) == 1 with input as image("", "app") with data.params as fixture.params
	count(policy.deny) == 0 with input as image("", "app") with data.params as fixture.params
}

test_passes_for_a_clean_image if {
	count(policy.deny) == 0 with input as fixture.clean with data.params as fixture.params
	count(policy.unknown) == 0 with input as fixture.clean with data.params as fixture.params
}
