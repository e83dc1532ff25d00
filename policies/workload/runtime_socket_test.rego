package postscan.workload.runtime_socket_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.runtime_socket as policy

test_fails_for_a_socket if {
	denied := policy.deny with input as fixture.host_path("/var/run/docker.sock")
	denied == {{
		"message": concat(" ", [
			"container app sees /var/run/docker.sock of the node,",
			"which is or holds the socket of a runtime or of the kubelet",
		]),
		"path": "spec.template.spec.volumes[1].hostPath.path",
		"value": "/var/run/docker.sock",
		"key": "app data",
	}}
}

test_fails_for_a_folder_above_and_for_read_only if {
	mount := object.union(fixture.volume.mounts[0], {"read_only": true})
	every path in ["/run", "/var/run", "/", "/var/lib/kubelet/device-plugins"] {
		volume := {"type": "hostPath", "host_path": path, "mounts": [mount]}
		count(policy.deny) == 1 with input as fixture.with_volume(volume)
	}
}

test_fails_through_a_persistent_volume if {
	volume := {"type": "persistentVolumeClaim", "host_path": "/run", "through": "persistentVolume"}
	denied := policy.deny with input as fixture.with_volume(volume)
	{d.path | some d in denied} == {"spec.template.spec.volumes[1]"}
}

test_passes_for_another_path_and_where_the_mount_is_narrowed if {
	count(policy.deny) == 0 with input as fixture.host_path("/srv/data")
	mount := object.union(fixture.volume.mounts[0], {"sub_path": "app"})
	volume := {"type": "hostPath", "host_path": "/run", "mounts": [mount]}
	count(policy.deny) == 0 with input as fixture.with_volume(volume)
}

test_passes_where_it_is_not_mounted if {
	count(policy.deny) == 0 with input as fixture.with_volume({"type": "hostPath", "host_path": "/run", "mounts": []})
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
