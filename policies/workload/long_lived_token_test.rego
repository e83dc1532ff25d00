package postscan.workload.long_lived_token_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.long_lived_token as policy

params(audiences) := object.union(fixture.params, {"expected_audiences": audiences})

token(audience, seconds) := fixture.with_volume({"type": "projected", "tokens": [{
	"audience": audience,
	"expiration_seconds": seconds,
	"path": "spec.template.spec.volumes[1].projected.sources[0].serviceAccountToken",
}]})

test_fails_for_a_token_secret if {
	secret := fixture.with_volume({"type": "secret", "token_secret": true})
	denied := policy.deny with input as secret with data.params as params([])
	denied == {{
		"message": "volume data holds a service-account token that never expires",
		"path": "spec.template.spec.volumes[1]",
		"value": "secret",
		"key": "data secret",
	}}
	unmounted := fixture.with_volume({"type": "secret", "token_secret": true, "mounts": []})
	count(policy.deny) == 0 with input as unmounted with data.params as params([])
}

test_fails_for_more_than_a_day if {
	denied := policy.deny with input as token("vault", 86401) with data.params as params([])
	{[d.key, d.value] | some d in denied} == {["data vault expiration", 86401]}
	count(policy.deny) == 0 with input as token("vault", 86400) with data.params as params([])
}

test_fails_for_an_audience_that_is_not_expected if {
	denied := policy.deny with input as token("vault", 3600) with data.params as params(["sts.amazonaws.com"])
	{d.key | some d in denied} == {"data vault audience"}
	every audience in ["vault", ""] {
		count(policy.deny) == 0 with input as token(audience, 3600) with data.params as params(["vault"])
	}
}

test_passes_for_a_hardened_workload if count(policy.deny) == 0 with input as fixture.clean with data.params as params([])

test_says_for_whom_the_token_is if {
	volume := {"type": "projected", "tokens": [{"audience": "", "expiration_seconds": 172800, "path": "spec.x"}]}
	denied := policy.deny with input as fixture.with_volume(volume) with data.params as {"expected_audiences": []}
	{d.message | some d in denied} == {"the token for the API server in volume data lives for 48 hours"}
}
