package postscan.workload.no_user_namespace_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.no_user_namespace as policy

workload(container, changes) := object.union_n([
	fixture.with_container(container),
	{"nodes": {"kubelet_minor": 34, "user_namespaces": "true"}},
	changes,
])

root(value) := {"effective": object.union(fixture.app.effective, {"root": value})}

test_fails_for_root_and_for_capabilities if {
	every value in ["yes", "image"] {
		denied := policy.deny with input as workload(root(value), {})
		denied == {{
			"message": "container app may be root in the user namespace of the node",
			"path": "spec.template.spec.hostUsers",
			"value": "unset",
		}}
	}
	count(policy.deny) == 1 with input as workload({"capabilities_add": ["NET_ADMIN"]}, {})
}

test_passes_with_a_user_namespace_and_without_rights if {
	count(policy.deny) == 0 with input as workload(root("yes"), {"host_users": "false"})
	count(policy.deny) == 0 with input as workload({}, {})
}

test_passes_where_the_nodes_do_not_support_it if {
	every nodes in [{"user_namespaces": "false"}, {"kubelet_minor": 32}] {
		count(policy.deny) == 0 with input as workload(root("yes"), {"nodes": nodes})
		count(policy.unknown) == 0 with input as workload(root("yes"), {"nodes": nodes})
	}
}

test_unknown_where_only_some_nodes_support_it if {
	count(policy.unknown) == 1 with input as workload(root("yes"), {"nodes": {"user_namespaces": "mixed"}})
	count(policy.deny) == 0 with input as workload(root("yes"), {"nodes": {"user_namespaces": "mixed"}})
}

test_unknown_where_the_version_of_the_nodes_was_not_seen if {
	unseen := {"nodes": {"kubelet_minor": 0}}
	count(policy.unknown) == 1 with input as workload(root("yes"), unseen)
	count(policy.deny) == 0 with input as workload(root("yes"), unseen)
	count(policy.unknown) == 0 with input as workload({}, unseen)
	count(policy.unknown) == 0 with input as workload(root("yes"), {"nodes": {"kubelet_minor": 0, "user_namespaces": "false"}})
}

test_windows if {
	not policy.applies with input as fixture.pod({"os": "windows"})
	policy.applies with input as fixture.clean
}
