package postscan.workload.privileged_port_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.privileged_port as policy

port(number, host) := fixture.with_container({"ports": [object.union(fixture.app.ports[0], {"port": number, "host_port": host})]})

sysctl(value) := {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": value, "path": "p"}]}

test_fails_below_1024 if {
	denied := policy.deny with input as port(80, 0)
	denied == {{
		"message": "container app declares the port 80",
		"path": "spec.template.spec.containers[0].ports[0].containerPort",
		"value": 80,
		"key": "app containerPort 80/TCP",
	}}
	host := policy.deny with input as port(8080, 443)
	{d.key | some d in host} == {"app hostPort 443/TCP"}
}

test_passes_from_1024 if {
	count(policy.deny) == 0 with input as port(1024, 0)
	count(policy.deny) == 0 with input as fixture.clean
}

test_the_sysctl_frees_ports if {
	count(policy.deny) == 0 with input as object.union(port(80, 0), sysctl("0"))
	count(policy.deny) == 0 with input as object.union(port(80, 0), sysctl("80"))
	count(policy.deny) == 1 with input as object.union(port(80, 0), sysctl("81"))
	count(policy.deny) == 0 with input as object.union(port(8080, 0), sysctl("9000"))
	count(policy.deny) == 1 with input as object.union(port(80, 0), sysctl("x"))
}

test_windows if {
	not policy.applies with input as fixture.pod({"os": "windows"})
	policy.applies with input as fixture.clean
}
