package postscan.lib.registries_test

import data.postscan.lib.registries

test_docker_hub_has_one_name if {
	every name in ["docker.io/library/a", "index.docker.io/library/a", "registry-1.docker.io/library/a"] {
		registries.canonical(name) == "docker.io/library/a"
	}
	registries.canonical("ghcr.io/acme/a") == "ghcr.io/acme/a"
}

test_a_prefix_ends_at_a_slash if {
	registries.allowed("ghcr.io/acme/app") with data.params as {"allowed_registries": ["ghcr.io/acme"]}
	not registries.allowed("ghcr.io/acme-two/app") with data.params as {"allowed_registries": ["ghcr.io/acme"]}
	not registries.allowed("ghcr.io/acme/app") with data.params as {"allowed_registries": []}
}
