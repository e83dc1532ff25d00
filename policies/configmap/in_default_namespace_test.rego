package postscan.configmap.in_default_namespace_test

import data.postscan.configmap.in_default_namespace as policy

config(namespace, system) := {"namespace": {"name": namespace}, "system": system, "secrets": []}

test_fails_in_default if {
	count(policy.deny) == 1 with input as config("default", false)
}

test_passes_elsewhere_and_for_what_kubernetes_puts_everywhere if {
	count(policy.deny) == 0 with input as config("shop", false)
	count(policy.deny) == 0 with input as config("default", true)
}
