package postscan.engine.cri_configuration_test

import data.postscan.engine.cri_configuration as policy
import data.postscan.engine.fixture_test as fixture

cri(changes) := fixture.engine({"name": "containerd", "version": "1.7.1", "cri": object.union(served, changes)})

served := object.union(fixture.engine({}).cri, {"served": true, "runtimes": [runtime]})

hooks := object.union(fixture.config, {"role": "hooks"})

runtime := {
	"name": "runc", "type": "oci", "default": true, "sandboxed": false, "host_devices": true,
	"allowed_annotations": [],
}

test_fails_for_each_weakness if {
	every changes in [
		{"added_capabilities": ["NET_RAW"]}, {"inheritable_capabilities": true}, {"allowed_devices": ["/dev/sda"]},
		{"runtimes": [object.union(runtime, {"allowed_annotations": ["io.kubernetes.cri-o.Devices"]})]},
		{"runtimes": [object.union(runtime, {"allowed_annotations": ["io.kubernetes.cri-o.*", "example.org/*"]})]},
	] {
		"medium" in {d.severity | some d in policy.deny} with input as cri(changes)
	}
}

test_fails_for_hooks_that_others_write if {
	every changes in [{"other_write": true}, {"owner_root": false}, {"group_write": true, "group_root": false}] {
		count(policy.deny) == 1 with input as object.union(cri({}), {"files": [object.union(hooks, changes)]})
	}
}

test_tells_of_defaults_that_changed if {
	every changes in [
		{"unprivileged_ports": true}, {"unprivileged_icmp": true},
		{"runtimes": [object.union(runtime, {"name": "kata", "sandboxed": true})]},
	] {
		"info" in {d.severity | some d in policy.deny} with input as cri(changes)
	}
}

test_passes_with_the_defaults if {
	every changes in [
		{}, {"allowed_devices": ["/dev/fuse", "/dev/net/tun"]},
		{"runtimes": [
			object.union(runtime, {
				"sandboxed": true, "host_devices": false, "allowed_annotations": ["io.kubernetes.cri-o.Devices"],
			}),
		]},
	] {
		count(policy.deny) == 0 with input as cri(changes)
	}
	count(policy.deny) == 0 with input as object.union(
		cri({
			"unprivileged_ports": true, "unprivileged_icmp": true,
		}),
		{"version": "2.1.0"},
	)
	policy.applies with input as cri({})
	not policy.applies with input as fixture.engine({})
}
