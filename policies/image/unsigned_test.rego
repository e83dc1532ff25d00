package postscan.image.unsigned_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.unsigned as policy

image(changes) := fixture.image({"signature": changes})

test_fails_without_a_signature if {
	denied := policy.deny with input as image({"present": false, "verified": false, "sbom": false, "provenance": false})
	denied == {{
		"message": "no signature is attached",
		"path": "signature.present",
		"value": false,
		"key": "signature",
		"severity": "medium",
	}}
}

test_fails_where_none_verifies if {
	denied := policy.deny with input as image({"verified": false, "problem": "signed by another key"})
	denied == {{
		"message": "a signature is attached, but none verifies with the configured key: signed by another key",
		"path": "signature.verified",
		"value": false,
		"key": "signature",
		"severity": "medium",
	}}
}

test_fails_where_none_verifies_for_a_reason_not_told if {
	denied := policy.deny with input as image({"verified": false})
	{finding.message | some finding in denied} == {"a signature is attached, but none verifies with the configured key"}
}

test_fails_as_info_without_attestations if {
	denied := policy.deny with input as image({"sbom": false, "provenance": false})
	denied == {
		{
			"message": "signed, but without an SBOM attestation",
			"path": "signature.sbom",
			"value": false,
			"key": "sbom",
			"severity": "info",
		},
		{
			"message": "signed, but without a provenance attestation",
			"path": "signature.provenance",
			"value": false,
			"key": "provenance",
			"severity": "info",
		},
	}
}

test_fails_as_info_without_one_of_them if {
	denied := policy.deny with input as image({"provenance": false})
	{finding.key | some finding in denied} == {"provenance"}
}

test_passes_with_signature_and_attestations if {
	count(policy.deny) == 0 with input as fixture.clean
}
