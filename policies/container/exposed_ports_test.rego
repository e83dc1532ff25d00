package postscan.container.exposed_ports_test

import data.postscan.container.exposed_ports as policy
import data.postscan.container.fixture_test as fixture

port := {"port": 80, "protocol": "tcp", "host_ip": "", "host_port": 8080, "reach": "all"}

bridge := {"name": "bridge", "driver": "bridge", "default": true, "icc": true}

test_fails if {
	every changes in [
		{"ports": [port], "public_address": true}, {"networks": [bridge]}, {
			"iptables": false, "networks": [object.union(bridge, {"default": false})],
		},
	] {
		count(policy.deny) == 1 with input as fixture.container(changes)
	}
}

test_passes if {
	every changes in [
		{}, {"ports": [port]}, {"ports": [object.union(port, {"reach": "loopback"})], "public_address": true},
		{"networks": [object.union(bridge, {"icc": false})]}, {
			"networks": [object.union(bridge, {"default": false})],
		},
		{"iptables": false},
	] {
		count(policy.deny) == 0 with input as fixture.container(changes)
	}
}
