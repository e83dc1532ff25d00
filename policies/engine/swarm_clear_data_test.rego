package postscan.engine.swarm_clear_data_test

import data.postscan.engine.fixture_test as fixture
import data.postscan.engine.swarm_clear_data as policy

secret := {
	"where": "env", "name": "AWS_SECRET_ACCESS_KEY", "rule": "aws-secret-access-key", "category": "AWS",
	"title": "AWS secret", "severity": "critical", "length": 40, "path": "spec.env[0]",
}

swarm(changes) := object.union(fixture.swarm, {"swarm": object.union(fixture.swarm.swarm, changes)})

test_fails_for_an_overlay_in_clear if {
	some d in policy.deny with input as object.union(fixture.swarm, {"networks": [
		object.union(fixture.overlay, {"encrypted": false}),
	]})
	d.key == "network data"
}

test_fails_for_credentials if {
	count(policy.deny) == 1 with input as swarm({"services": [
		object.union(fixture.service, {"literal_secrets": [secret]}),
	]})
	count(policy.deny) == 1 with input as swarm({"configs": [{"name": "app", "literal_secrets": [secret]}]})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.swarm
	policy.applies with input as fixture.swarm
	not policy.applies with input as fixture.engine({})
}
