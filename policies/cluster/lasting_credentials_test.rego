package postscan.cluster.lasting_credentials_test

import data.postscan.cluster.fixture_test as fixture
import data.postscan.cluster.lasting_credentials as policy

keys(denied) := {d.key | some d in denied}

token(changes) := {"bootstrap_tokens": [object.union(
	{"name": "t", "expires": true, "hours_left": 10, "life_hours": 24, "authenticates": true},
	changes,
)]}

certificate(changes) := {"certificates": [object.union(
	{"signer": "kubernetes.io/kube-apiserver-client", "user": "bob", "groups": [], "life_hours": 0, "issued": true, "requester": "bob"},
	changes,
)]}

secret(changes) := {"token_secrets": [object.union(
	{"namespace": "shop", "service_account": "ci", "age_days": 400, "last_used_days": 1, "mounted": false},
	changes,
)]}

test_fails_for_join_tokens if {
	keys(policy.deny) == {"token/t"} with input as fixture.cluster(token({"expires": false}))
	keys(policy.deny) == {"token/t"} with input as fixture.cluster(token({"life_hours": 48}))
	keys(policy.deny) == {"token/t"} with input as fixture.cluster(token({"hours_left": 30}))
}

test_fails_for_others if {
	keys(policy.deny) == {"certificate/bob"} with input as fixture.cluster(certificate({}))
	keys(policy.deny) == {"secret/shop/ci"} with input as fixture.cluster(secret({}))
	keys(policy.deny) == {"kubeconfig"} with input as fixture.cluster({"credential": {"kind": "token", "expires": "false"}})
	keys(policy.deny) == {"kubeconfig"} with input as fixture.cluster({"credential": {"kind": "password"}})
}

test_passes if {
	keys(policy.deny) == set() with input as fixture.cluster(token({}))
	keys(policy.deny) == set() with input as fixture.cluster(token({"life_hours": 48, "hours_left": -3}))
	keys(policy.deny) == set() with input as fixture.cluster(certificate({"issued": false}))
	keys(policy.deny) == set() with input as fixture.cluster(secret({"mounted": true}))
	keys(policy.deny) == set() with input as fixture.cluster(secret({"last_used_days": -1}))
	keys(policy.deny) == set() with input as fixture.cluster({"credential": {"kind": "token", "expires": "true"}})
	count(policy.deny) == 0 with input as fixture.clean
}
