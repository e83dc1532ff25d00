package postscan.workload.host_path_readable_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.host_path_readable as policy

mounted(path, changes) := fixture.with_volume({
	"type": "hostPath",
	"host_path": path,
	"mounts": [object.union(fixture.volume.mounts[0], changes)],
})

test_fails_for_credentials_of_the_node if {
	every path in ["/", "/etc/kubernetes", "/var/lib/kubelet/pods", "/root/.ssh"] {
		denied := policy.deny with input as mounted(path, {"read_only": true})
		{[d.key, d.value] | some d in denied} == {["app data", path]}
	}
}

test_says_that_read_only_is_not_recursive if {
	every case in [["unset", 1], ["IfPossible", 1], ["Enabled", 0]] {
		denied := policy.deny with input as mounted("/etc", {"read_only": true, "recursive_read_only": case[0]})
		count(denied) == 1
		count([d | some d in denied; contains(d.message, "writable")]) == case[1]
	}
}

test_passes_where_it_is_writable_which_is_another_check if {
	count(policy.deny) == 0 with input as mounted("/etc", {"read_only": false})
}

test_passes_for_harmless_leaves_and_other_paths if {
	every path in ["/etc/localtime", "/etc/ssl/certs", "/lib/modules", "/etc/hosts", "/srv"] {
		count(policy.deny) == 0 with input as mounted(path, {"read_only": true})
	}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
