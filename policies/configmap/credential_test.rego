package postscan.configmap.credential_test

import data.postscan.configmap.credential as policy

config(secrets) := {"namespace": {"name": "shop"}, "system": false, "secrets": secrets}

secret := {
	"key": "app.properties",
	"binary": false,
	"line": 3,
	"rule": "aws-access-key-id",
	"category": "AWS",
	"title": "AWS Access Key ID",
	"severity": "critical",
	"length": 20,
	"path": "data[app.properties]",
}

test_fails_for_each if {
	other := object.union(secret, {"key": "keystore", "binary": true, "rule": "private-key", "path": "binaryData[keystore]"})
	denied := policy.deny with input as config([secret, other])
	{[d.path, d.key] | some d in denied} == {
		["data[app.properties]", "app.properties aws-access-key-id"],
		["binaryData[keystore]", "keystore private-key"],
	}
}

test_passes_without if {
	count(policy.deny) == 0 with input as config([])
}
