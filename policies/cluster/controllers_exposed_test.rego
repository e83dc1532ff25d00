package postscan.cluster.controllers_exposed_test

import data.postscan.cluster.controllers_exposed as policy
import data.postscan.cluster.fixture_test as fixture

keys(denied) := {d.key | some d in denied}

proxy(address) := fixture.cluster({"kube_proxies": [fixture.component("kube-proxy", "kube_proxies[0]", {"metrics-bind-address": address})]})

test_fails if {
	case_1 := fixture.managers({"use-service-account-credentials": null})
	keys(policy.deny) == {"cp-1/kube-controller-manager/use-service-account-credentials"} with input as case_1
	keys(policy.deny) == {"cp-1/kube-controller-manager/root-ca-file"} with input as fixture.managers({"root-ca-file": null})
	keys(policy.deny) == {"cp-1/kube-controller-manager/bind-address"} with input as fixture.managers({"bind-address": null})
	keys(policy.deny) == {"cp-1/kube-scheduler/bind-address"} with input as fixture.schedulers({"bind-address": "0.0.0.0"})
	keys(policy.deny) == {"cp-1/kube-scheduler/bind-address"} with input as fixture.schedulers({"bind-address": "::"})
	keys(policy.deny) == {"cp-1/kube-proxy/metrics-bind-address"} with input as proxy("0.0.0.0:10249")
}

test_loopback_is_fine if {
	keys(policy.deny) == set() with input as fixture.schedulers({"bind-address": "::1"})
	keys(policy.deny) == set() with input as proxy("127.0.0.1:10249")
	keys(policy.deny) == set() with input as proxy("[::1]:10249")
	keys(policy.deny) == set() with input as proxy(null)
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}

test_a_closed_port_listens_nowhere if {
	keys(policy.deny) == set() with input as fixture.schedulers({"bind-address": null, "secure-port": "0"})
	open := fixture.schedulers({"bind-address": null, "secure-port": "10259"})
	keys(policy.deny) == {"cp-1/kube-scheduler/bind-address"} with input as open
}
