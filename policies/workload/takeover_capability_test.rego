package postscan.workload.takeover_capability_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.takeover_capability as policy

root(names) := fixture.with_container({"effective": object.union(
	fixture.app.effective,
	{"capabilities": names, "root": "yes", "no_new_priv": false},
)})

test_severity_by_capability if {
	denied := policy.deny with input as root(["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "CHOWN"])
	{d.value: d.severity | some d in denied} == {
		"SYS_ADMIN": "critical",
		"NET_ADMIN": "medium",
		"SYS_PTRACE": "high",
	}
}

test_tracing_with_the_processes_of_the_node_is_critical if {
	denied := policy.deny with input as object.union(root(["SYS_PTRACE"]), {"host_pid": true})
	{d.value: d.severity | some d in denied} == {"SYS_PTRACE": "critical"}
}

test_medium_in_a_user_namespace if {
	denied := policy.deny with input as object.union(root(["ALL"]), {"host_users": "false"})
	{d.value: d.severity | some d in denied} == {"ALL": "medium"}
}

test_medium_for_a_user_who_cannot_reach_it if {
	workload := fixture.with_container({"effective": object.union(fixture.app.effective, {"capabilities": ["SYS_ADMIN"]})})
	denied := policy.deny with input as workload
	{d.value: d.severity | some d in denied} == {"SYS_ADMIN": "medium"}
}

test_path_of_a_privileged_container if {
	workload := fixture.with_container({
		"privileged": true,
		"effective": object.union(fixture.app.effective, {"capabilities": ["ALL"], "root": "image"}),
	})
	denied := policy.deny with input as workload
	{d.path | some d in denied} == {"spec.template.spec.containers[0].securityContext.privileged"}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean
