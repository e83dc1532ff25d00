package postscan.lib.sandbox_test

import data.postscan.lib.sandbox

params := {"sandbox_handlers": ["our-box"]}

test_handlers if {
	every name in ["runsc", "gvisor", "kata", "kata-qemu", "kata-fc", "Kata-clh", "firecracker", "our-box"] {
		sandbox.handler(name) with data.params as params
	}
	every name in ["", "runc", "crun", "nvidia", "youki", "katana.example", "runscape"] {
		not sandbox.handler(name) with data.params as params
	}
}

test_a_machine_for_each_pod if {
	sandbox.isolated with input as {"runtime_class": {"handler": ""}, "nodes": {"pod_per_machine": "true"}} with data.params as params
	not sandbox.isolated with input as {"runtime_class": {"handler": ""}, "nodes": {"pod_per_machine": "mixed"}} with data.params as params
}
