package postscan.workload.unsafe_sysctl_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.unsafe_sysctl as policy

sysctl(name, value) := fixture.pod({"sysctls": [{
	"name": name,
	"value": value,
	"path": "spec.template.spec.securityContext.sysctls[0]",
}]})

test_fails_for_other_names if {
	denied1 := policy.deny with input as sysctl("kernel.msgmax", "65536") with data.params as {"pss_version": ""}
	{d.severity | some d in denied1} == {"medium"}
	denied2 := policy.deny with input as sysctl("net.ipv4.tcp_syncookies.x", "1") with data.params as {"pss_version": ""}
	{d.severity | some d in denied2} == {"medium"}
}

test_high_for_a_value_that_breaks_out if {
	denied := policy.deny with input as sysctl("kernel.shm_x", "1+kernel.core_pattern=|/x") with data.params as {"pss_version": ""}
	{d.severity | some d in denied} == {"high"}
}

test_a_safe_name_with_such_a_value if {
	denied := policy.deny with input as sysctl("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x") with data.params as {"pss_version": ""}
	{[d.severity, d.path, d.key] | some d in denied} == {[
		"high",
		"spec.template.spec.securityContext.sysctls[0].value",
		"sysctl value kernel.shm_rmid_forced",
	]}
	count(policy.deny) == 0 with input as sysctl("kernel.shm_rmid_forced", "1") with data.params as {"pss_version": ""}
}

test_versions if {
	denied4 := policy.deny with input as sysctl("net.ipv4.tcp_rmem", "1") with data.params as {"pss_version": "v1.31"}
	{d.severity | some d in denied4} == {"medium"}
	denied5 := policy.deny with input as sysctl("net.ipv4.tcp_rmem", "1") with data.params as {"pss_version": "v1.32"}
	{d.severity | some d in denied5} == set()
	denied6 := policy.deny with input as sysctl("net.ipv4.ip_local_reserved_ports", "1") with data.params as {"pss_version": "v1.26"}
	{d.severity | some d in denied6} == {"medium"}
	denied7 := policy.deny with input as sysctl("net.ipv4.tcp_notsent_lowat", "1") with data.params as {"pss_version": ""}
	{d.severity | some d in denied7} == set()
	denied8 := policy.deny with input as sysctl("net.ipv4.tcp_syncookies", "1") with data.params as {"pss_version": "v1.0"}
	{d.severity | some d in denied8} == set()
}

test_path_of_the_finding if {
	denied := policy.deny with input as sysctl("kernel.msgmax", "1") with data.params as fixture.params
	{d.path | some d in denied} == {"spec.template.spec.securityContext.sysctls[0].name"}
}
