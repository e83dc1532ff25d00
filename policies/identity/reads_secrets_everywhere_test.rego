package postscan.identity.reads_secrets_everywhere_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.reads_secrets_everywhere as policy

test_fails_with_the_way_and_the_mending if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("secrets", ["create", "get", "list"])])
	denied == {{
		"message": "can read every Secret in the whole cluster: get, list secrets, by ClusterRoleBinding/own → ClusterRole/own → rules[0]",
		"path": "grants[0].rules[0]",
		"value": {
			"system": false,
			"path": "ClusterRoleBinding/own → ClusterRole/own → rules[0]",
			"rights": "get, list secrets",
			"scope": "in the whole cluster",
			"mend": "take get, list secrets out of rules[0] of ClusterRole/own; give get on named Secrets in a Role",
		},
		"key": "ClusterRole/own",
		"severity": "high",
	}}
}

test_critical_where_a_token_leads_on if {
	denied := policy.deny with input as fixture.everywhere([object.union(fixture.right("secrets", ["get"]), {"privileged_token": "true"})])
	fixture.severities(denied) == {"critical"}
}

test_says_where_secrets_were_not_seen if {
	count(policy.unknown) == 1 with input as fixture.everywhere([
		object.union(fixture.right("secrets", ["get"]), {"privileged_token": "unknown"}),
	])
	count(policy.unknown) == 0 with input as fixture.system([
		object.union(fixture.right("secrets", ["get"]), {"privileged_token": "unknown"}),
	])
}

test_watch_is_enough if {
	denied := policy.deny with input as fixture.everywhere([fixture.right("secrets", ["watch"])])
	fixture.severities(denied) == {"high"}
}

test_passes_with_names_in_a_namespace_and_for_writing if {
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.named("secrets", ["get", "list"], ["a"])])
	count(policy.deny) == 0 with input as fixture.of([fixture.right("secrets", ["get"])])
	count(policy.deny) == 0 with input as fixture.everywhere([fixture.right("secrets", ["create", "delete"])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([fixture.right("secrets", ["get"])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([fixture.right("secrets", ["get"])])
}
