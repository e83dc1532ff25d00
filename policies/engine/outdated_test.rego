package postscan.engine.outdated_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.outdated as policy

old(changes) := fixture.engine({"components": [
	object.union({"name": "containerd", "version": "1.5.2", "module": "", "packaged": false}, changes),
]})

params := {"now": "2026-03-01T12:00:00Z"}

test_fails_for_a_vulnerability if {
	some d in policy.deny with input as fixture.engine({"vulnerabilities": [
		{"component": "runc", "version": "1.1.5", "id": "CVE-2024-21626", "severity": "high", "fixed": "1.1.12"},
	]})
		with data.params as params
	d.severity == "high"
}

test_unrated_is_info if {
	some d in policy.deny with input as fixture.engine({"vulnerabilities": [
		{"component": "runc", "version": "1.1.5", "id": "CVE-2024-21626", "severity": "unknown", "fixed": ""},
	]})
		with data.params as params
	d.severity == "info"
}

test_fails_without_support if {
	some d in policy.deny with input as old({}) with data.params as params
	d.value == "1.5.2"
}

test_passes_with_support if {
	every changes in [{"version": "2.2.1"}, {"packaged": true}, {"name": "conmon"}, {"version": "unreadable"}] {
		count(policy.deny) == 0 with input as old(changes) with data.params as params
	}
}
