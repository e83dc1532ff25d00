package postscan.workload.pod_security_level_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.pod_security_level as policy

test_baseline_where_restricted_refuses_something if {
	denied := policy.deny with input as fixture.pod({"security_context": {"run_as_non_root": "false", "seccomp": "unset"}})
	denied == {{
		"message": "meets the Pod Security level baseline; restricted refuses runAsNonRoot, seccompProfile_restricted",
		"path": "spec.template.spec",
		"value": {
			"level": "baseline",
			"failing": {
				"runAsNonRoot": [
					"spec.template.spec.containers[0].securityContext.runAsNonRoot",
					"spec.template.spec.securityContext.runAsNonRoot",
				],
				"seccompProfile_restricted": ["spec.template.spec.containers[0].securityContext.seccompProfile"],
			},
		},
	}}
}

test_privileged_where_baseline_refuses_something if {
	denied := policy.deny with input as object.union(fixture.with_container({"privileged": true}), {"host_pid": true})
	{d.value.level | some d in denied} == {"privileged"}
	{object.keys(d.value.failing) | some d in denied} == {{"privileged", "hostNamespaces"}}
}

test_the_version_decides if {
	workload := fixture.with_container({"host_probes": [{"hook": "preStop", "host": "h", "path": "p"}]})
	count(policy.deny) == 1 with input as workload with data.params as {"pss_version": "v1.34"}
	count(policy.deny) == 0 with input as workload with data.params as {"pss_version": "v1.33"}
}

test_passes_for_restricted if count(policy.deny) == 0 with input as fixture.clean
