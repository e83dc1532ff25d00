package postscan.image.vulnerabilities_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.vulnerabilities as policy

image(changes) := fixture.image({"vulnerabilities": [fixture.vulnerability(change) | some change in changes]})

test_fails_for_a_vulnerability if {
	denied := policy.deny with input as image([{}])
	denied == {{
		"message": "openssl 3.0.11-1 has CVE-2026-0001: fixed in 3.0.13-1",
		"path": "vulnerabilities[0]",
		"value": "3.0.11-1",
		"key": "CVE-2026-0001 pkg:deb/debian/openssl var/lib/dpkg/status",
		"severity": "high",
	}}
}

test_fails_with_the_severity_of_the_advisory if {
	every severity in ["critical", "high", "medium", "low", "unknown"] {
		denied := policy.deny with input as image([{"severity": severity}])
		{finding.severity | some finding in denied} == {severity}
	}
}

test_fails_as_unknown_where_the_severity_is_no_word_of_ours if {
	every severity in ["", "negligible", "none", "HIGH"] {
		denied := policy.deny with input as image([{"severity": severity}])
		{finding.severity | some finding in denied} == {"unknown"}
	}
}

test_fails_without_a_fix if {
	every status, text in {
		"affected": "no fix is known",
		"will_not_fix": "the vendor will not fix it",
		"fix_deferred": "the vendor has put the fix off",
		"end_of_life": "the release gets no fixes any more",
		"under_investigation": "the vendor is looking into it",
		"unknown": "no fix is known",
	} {
		denied := policy.deny with input as image([{"fixed_version": "", "status": status}])
		{finding.message | some finding in denied} == {concat(" ", ["openssl 3.0.11-1 has CVE-2026-0001:", text])}
	}
}

test_fails_once_for_each_vulnerability_package_and_path if {
	denied := policy.deny with input as image([
		{},
		{"id": "CVE-2026-0002"},
		{"package": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0.11-1"},
		{"purl": "pkg:npm/openssl@1.0.0", "path": "app/node_modules/openssl/package.json"},
		{"purl": "pkg:npm/openssl@1.0.0", "path": "opt/node_modules/openssl/package.json"},
	])
	count({finding.key | some finding in denied}) == 5
	count({finding.path | some finding in denied}) == 5
}

test_two_versions_in_one_place_are_two_findings_of_one_key if {
	denied := policy.deny with input as image([{}, {"version": "3.0.12-1", "purl": "pkg:deb/debian/openssl@3.0.12-1"}])
	count(denied) == 2
	count({finding.key | some finding in denied}) == 1
}

test_passes_without_vulnerabilities if {
	count(policy.deny) == 0 with input as fixture.clean
}
