package postscan.node.component_flaw_test

import data.postscan.node.component_flaw as policy
import data.postscan.node.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

runc(version, packaged) := {"software": [{"name": "runc", "version": version, "path": "/usr/bin/runc", "packaged": packaged}]}

test_fails_for_what_the_api_shows if {
	keys(policy.deny) == {"kubelet/CVE-2024-10220"} with input as fixture.node({"kubelet_minor": 30, "kubelet_patch": 2})
	keys(policy.deny) == {"containerd/CVE-2022-23648"} with input as fixture.node({"runtime_version": "1.6.0"})
	keys(policy.deny) == {"cri-o/CVE-2022-0811"} with input as fixture.node({"runtime": "cri-o", "runtime_version": "1.23.1"})
	keys(policy.deny) == {"kernel/CVE-2022-0847"} with input as fixture.node({"kernel": "5.15.20-flatcar"})
}

test_fails_for_programs_of_the_node if {
	denied := policy.deny with input as fixture.node(runc("1.2.7", false))
	{d.path | some d in denied} == {"software[0]"}
	{d.key | some d in denied} == {"runc/CVE-2025-31133"}
}

test_packages_are_left_to_the_database if {
	keys(policy.deny) == set() with input as fixture.node(runc("1.1.5", true))
	keys(policy.deny) == set() with input as fixture.node({"runtime_version": "1.5.9-0ubuntu1~20.04.4"})
	keys(policy.deny) == set() with input as fixture.node({"os_image": "Ubuntu 22.04.1 LTS", "kernel": "5.15.0-43-generic"})
}

test_a_package_of_the_runtime_is_not_judged_by_what_the_api_says if {
	package_of_debian := {"name": "containerd", "version": "1.6.0", "path": "/usr/bin/containerd", "packaged": true}
	keys(policy.deny) == set() with input as fixture.node({"runtime_version": "1.6.0", "software": [package_of_debian]})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
