package postscan.vm.vulnerabilities_test

import data.postscan.vm.fixture_test as fixture
import data.postscan.vm.vulnerabilities as policy

test_fails_for_a_vulnerability if {
	policy.deny == {{
		"message": "openssl 3.0.11-1 has CVE-2026-0001: fixed in 3.0.13-1",
		"path": "vulnerabilities[0]",
		"value": "3.0.11-1",
		"key": "CVE-2026-0001 pkg:deb/debian/openssl var/lib/dpkg/status",
		"severity": "high",
	}} with input as fixture.machine({"vulnerabilities": [fixture.vulnerability({})]})
}

test_fails_as_unknown_where_the_severity_is_no_word_of_ours if {
	{finding.severity | some finding in policy.deny} == {"unknown"}
		with input as fixture.machine({"vulnerabilities": [fixture.vulnerability({"severity": "negligible"})]})
}

test_passes_for_the_clean_machine if {
	count(policy.deny) == 0 with input as fixture.clean
}
