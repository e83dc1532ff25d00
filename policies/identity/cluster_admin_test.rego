package postscan.identity.cluster_admin_test

import data.postscan.identity.cluster_admin as policy
import data.postscan.identity.fixture_test as fixture

administrator(changes) := object.union(
	fixture.ruled(
		[
			fixture.rule(["*"], ["*"], ["*"]), object.union(fixture.rule(["*"], [], []), {"non_resource_urls": ["*"]}),
		],
		object.union(fixture.cluster_grant, {"role": {"kind": "ClusterRole", "namespace": "", "name": "cluster-admin", "bootstrap": true}}),
	),
	changes,
)

grants(more) := {"grants": [object.union(administrator({}).grants[0], more)]}

test_fails_with_the_way_and_the_mending if {
	denied := policy.deny with input as administrator({"type": "User", "name": "alice"})
	denied == {{
		"message": concat("", [
			"is cluster-admin in the whole cluster: every verb on every object, ",
			"by ClusterRoleBinding/own → ClusterRole/cluster-admin → rules[0]",
		]),
		"path": "grants[0].rules[0]",
		"value": {
			"system": false,
			"path": "ClusterRoleBinding/own → ClusterRole/cluster-admin → rules[0]",
			"rights": "every verb on every object",
			"scope": "in the whole cluster",
			"mend": concat("", [
				"bind a role of your own without it in place of ClusterRole/cluster-admin in ClusterRoleBinding/own; ",
				"write a role with what this identity does",
			]),
		},
		"key": "ClusterRole/cluster-admin",
		"severity": "high",
	}}
}

test_critical_where_a_workload_mounts_the_token if {
	denied := policy.deny with input as administrator({"used": "true"})
	fixture.severities(denied) == {"critical"}
	users := policy.deny with input as administrator({"used": "true", "type": "User"})
	fixture.severities(users) == {"high"}
}

test_where_workloads_were_not_seen_it_says_so if {
	count(policy.unknown) == 1 with input as administrator({"used": "unknown"})
	count(policy.unknown) == 0 with input as administrator({"used": "unknown", "type": "User"})
	count(policy.unknown) == 0 with input as object.union(fixture.clean, {"used": "unknown"})
}

test_in_one_namespace_it_is_high if {
	narrow := {"cluster_wide": false, "namespaces": ["shop"]}
	denied := policy.deny with input as object.union(administrator({"used": "true"}), grants(narrow))
	fixture.severities(denied) == {"high"}
	some d in denied
	contains(d.message, "in the namespace shop")
}

test_a_role_with_the_same_rules if {
	denied := policy.deny with input as object.union(fixture.clean, grants({"role": {"name": "root"}}))
	fixture.severities(denied) == {"high"}
}

test_groups_made_for_it_and_bindings_that_come_with_the_cluster_are_told_apart if {
	every name in ["system:masters", "kubeadm:cluster-admins"] {
		denied := policy.deny with input as administrator({"type": "Group", "name": name})
		fixture.severities(denied) == {"info"}
		every d in denied {
			d.value.system
		}
	}
	installed := policy.deny with input as object.union(fixture.clean, grants({"bootstrap": true}))
	fixture.severities(installed) == {"info"}
	others := policy.deny with input as administrator({"type": "Group", "name": "admins"})
	fixture.severities(others) == {"high"}
}

test_passes_without if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*"])], {})
}
