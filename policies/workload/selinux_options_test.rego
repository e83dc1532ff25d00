package postscan.workload.selinux_options_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.selinux_options as policy

options(changes) := fixture.pod({"security_context": {"selinux": changes}})

test_fails_for_other_types if {
	denied1 := policy.deny with input as options({"type": "spc_t"}) with data.params as {"pss_version": ""}
	{d.key: d.severity | some d in denied1} == {"pod type": "high"}
	denied2 := policy.deny with input as options({"type": "unconfined_t"}) with data.params as {"pss_version": ""}
	{d.key: d.severity | some d in denied2} == {"pod type": "medium"}
}

test_fails_for_a_user_or_role if {
	denied := policy.deny with input as options({"user": "system_u", "role": "system_r"}) with data.params as {"pss_version": ""}
	{d.key: d.severity | some d in denied} == {"pod user": "medium", "pod role": "medium"}
}

test_fails_on_a_container if {
	context := object.union(fixture.app.security_context, {"selinux": {"user": "", "role": "", "type": "spc_t", "level": ""}})
	denied := policy.deny with input as fixture.with_container({"security_context": context}) with data.params as {"pss_version": ""}
	{d.key: d.severity | some d in denied} == {"app type": "high"}
}

test_passes_for_types_of_containers if {
	every type in ["", "container_t", "container_init_t", "container_kvm_t"] {
		denied5 := policy.deny with input as options({"type": type}) with data.params as {"pss_version": "v1.0"}
		{d.key: d.severity | some d in denied5} == {}
	}
	denied6 := policy.deny with input as options({"level": "s0:c1,c2"}) with data.params as {"pss_version": ""}
	{d.key: d.severity | some d in denied6} == {}
}

test_engine_type_from_1_31 if {
	denied7 := policy.deny with input as options({"type": "container_engine_t"}) with data.params as {"pss_version": "v1.30"}
	{d.key: d.severity | some d in denied7} == {"pod type": "medium"}
	denied8 := policy.deny with input as options({"type": "container_engine_t"}) with data.params as {"pss_version": "v1.31"}
	{d.key: d.severity | some d in denied8} == {}
}

test_fails_for_the_user_of_a_container if {
	context := object.union(fixture.app.security_context, {"selinux": {"user": "system_u", "role": "", "type": "", "level": ""}})
	denied := policy.deny with input as fixture.with_container({"security_context": context})
	{[d.key, d.severity] | some d in denied} == {["app user", "medium"]}
}
