package postscan.identity.all_objects_test

import data.postscan.identity.all_objects as policy
import data.postscan.identity.fixture_test as fixture

wide := {"role": {"kind": "ClusterRole", "namespace": "", "name": "root"}, "cluster_wide": true, "namespaces": []}

test_fails_under_another_name if {
	denied := policy.deny with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*"])], wide)
	fixture.severities(denied) == {"critical"}
}

test_high_in_one_namespace if {
	denied := policy.deny with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*"])], {})
	fixture.severities(denied) == {"high"}
	some d in denied
	d.path == "grants[0].rules[0]"
}

test_paths_that_are_no_objects_are_medium if {
	denied := policy.deny with input as fixture.ruled([object.union(fixture.rule(["*"], [], []), {"non_resource_urls": ["*"]})], wide)
	fixture.severities(denied) == {"medium"}

	# A RoleBinding gives no such path.
	count(policy.deny) == 0 with input as fixture.ruled([object.union(fixture.rule(["*"], [], []), {"non_resource_urls": ["*"]})], {})
}

test_cluster_admin_itself_is_another_check if {
	count(policy.deny) == 0 with input as fixture.ruled(
		[
			fixture.rule(["*"], ["*"], ["*"]), object.union(fixture.rule(["*"], [], []), {"non_resource_urls": ["*"]}),
		],
		object.union(wide, {"role": {"name": "cluster-admin"}}),
	)
}

test_passes_where_something_is_named if {
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], ["apps"], ["*"])], wide)
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["get"], ["*"], ["*"])], wide)
	count(policy.deny) == 0 with input as fixture.ruled([fixture.rule(["*"], ["*"], ["*/*"])], wide)
	count(policy.deny) == 0 with input as fixture.ruled([object.union(fixture.rule(["*"], ["*"], ["*"]), {"resource_names": ["a"]})], wide)
}
