package postscan.workload.host_path_writable_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_path_writable as policy

mounted(path, changes) := fixture.with_volume({
	"type": "hostPath",
	"host_path": path,
	"mounts": [object.union(fixture.volume.mounts[0], changes)],
})

test_fails_for_what_decides_what_the_node_runs if {
	every path in ["/", "/etc", "/etc/cron.d", "/var", "/var/log", "/usr/lib/x", "/proc/sys"] {
		denied := policy.deny with input as fixture.host_path(path)
		{[d.path, d.value, d.severity] | some d in denied} == {["spec.template.spec.containers[0].volumeMounts[1]", path, "critical"]}
	}
}

test_low_for_a_harmless_leaf if {
	denied := policy.deny with input as fixture.host_path("/etc/localtime")
	{d.severity | some d in denied} == {"low"}
}

test_one_finding_for_each_container_and_volume if {
	second := {"container": "side"}
	workload := fixture.with_volume({"type": "hostPath", "host_path": "/etc", "mounts": [
		fixture.volume.mounts[0],
		object.union(fixture.volume.mounts[0], second),
	]})
	denied := policy.deny with input as workload
	{d.key | some d in denied} == {"app data", "side data"}
}

test_parts_of_one_volume_are_told_apart if {
	parts := [object.union(fixture.volume.mounts[0], {"sub_path": part}) | some part in ["etc", "root"]]
	denied := policy.deny with input as fixture.with_volume({"type": "hostPath", "host_path": "/", "mounts": parts})
	{[d.key, d.value] | some d in denied} == {["app data etc", "/etc"], ["app data root", "/root"]}
}

test_what_the_node_believes_is_not_harmless_to_write if {
	every path in ["/etc/ssl/certs", "/lib/modules", "/etc/passwd"] {
		denied := policy.deny with input as fixture.host_path(path)
		{d.severity | some d in denied} == {"critical"}
	}
}

test_passes_for_other_paths_and_read_only if {
	count(policy.deny) == 0 with input as fixture.host_path("/srv/data")
	count(policy.deny) == 0 with input as mounted("/etc", {"read_only": true})
	count(policy.deny) == 0 with input as mounted("/", {"sub_path": "srv/data"})
}

test_leaves_sockets_to_their_own_check if count(policy.deny) == 0 with input as fixture.host_path("/run/docker.sock")

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
