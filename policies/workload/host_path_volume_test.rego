package postscan.workload.host_path_volume_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_path_volume as policy

test_fails_for_a_host_path if {
	denied := policy.deny with input as fixture.host_path("/srv/data")
	denied == {{
		"message": "volume data is the path /srv/data of the node",
		"path": "spec.template.spec.volumes[1].hostPath",
		"value": "/srv/data",
		"key": "data",
	}}
}

test_fails_where_it_is_declared_and_not_mounted if {
	count(policy.deny) == 1 with input as fixture.with_volume({"type": "hostPath", "host_path": "/srv", "mounts": []})
}

# A claim that is bound to a path of the node is the administrator's doing, not the pod's.
test_passes_for_a_claim if {
	volume := {"type": "persistentVolumeClaim", "host_path": "/srv", "through": "persistentVolume"}
	count(policy.deny) == 0 with input as fixture.with_volume(volume)
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
