package postscan.vm.host_share_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.host_share as policy

share(changes) := object.union({"path": "/mnt/host", "type": "vmhgfs", "source": ".host:/", "read_only": false, "mounted": true}, changes)

test_fails_for_a_writable_share if {
	policy.deny == {{
		"message": "/mnt/host is a folder of the host (vmhgfs), mounted writable",
		"path": "shares[0]",
		"value": {"type": "vmhgfs", "read_only": false, "mounted": true},
		"key": "share /mnt/host",
		"severity": "high",
	}} with input as fixture.machine({"shares": [share({})]})
}

test_is_milder_for_a_read_only_one if {
	{finding.severity | some finding in policy.deny} == {"medium"}
		with input as fixture.machine({"shares": [share({"read_only": true})]})
	{finding.message | some finding in policy.deny} == {"/mnt/host is a folder of the host (vmhgfs), which /etc/fstab mounts"}
		with input as fixture.machine({"shares": [share({"mounted": false})]})
}

test_fails_for_a_real_device if {
	{finding.key | some finding in policy.deny} == {"device 10de 20b5"} with input as fixture.machine({"devices": [{
		"bus": "pci",
		"address": "0000:01:00.0",
		"vendor": "10de",
		"id": "20b5",
		"class": "030200",
		"driver": "nvidia",
		"passthrough": true,
		"what": "gpu",
	}]})
}

test_fails_where_everybody_may_run_guests if {
	{finding.key | some finding in policy.deny} == {"nested"}
		with input as fixture.machine({"nested": {"kvm": true, "kvm_mode": "0666"}})
	count(policy.deny) == 0 with input as fixture.machine({"nested": {"kvm": true, "kvm_mode": "0660"}})
}

test_is_about_guests if {
	not policy.applies with input as fixture.machine({"machine": {"kind": "bare-metal"}})
	policy.applies with input as fixture.clean
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
