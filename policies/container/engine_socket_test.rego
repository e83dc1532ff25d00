package postscan.container.engine_socket_test

import data.postscan.container.engine_socket as policy
import data.postscan.container.fixture_test as fixture

test_fails_for_sockets_and_folders_above if {
	every source in ["/var/run/docker.sock", "/run/podman/podman.sock", "/run", "/run/user/1000/docker.sock", "/"] {
		"critical" in {d.severity | some d in policy.deny} with input as fixture.mounted({"source": source})
	}
}

test_high_where_the_engine_is_rootless if {
	some d in policy.deny with input as object.union(fixture.mounted({"source": "/run/user/1000/docker.sock"}), {"rootless": true})
	d.severity == "high"
}

test_passes_for_other_paths_and_volumes if {
	every changes in [{"source": "/srv/data"}, {"type": "volume", "source": "/run/x"}] {
		count(policy.deny) == 0 with input as fixture.mounted(changes)
	}
}
