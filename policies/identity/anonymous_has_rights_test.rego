package postscan.identity.anonymous_has_rights_test

import data.postscan.identity.anonymous_has_rights as policy
import data.postscan.identity.fixture_test as fixture

anonymous(changes) := object.union(fixture.clean, {
	"type": "User", "name": "system:anonymous", "grants": [object.union(fixture.grant, changes)],
})

unauthenticated(changes) := object.union(anonymous(changes), {"type": "Group", "name": "system:unauthenticated"})

test_fails_for_any_binding if {
	every identity in [anonymous({}), unauthenticated({})] {
		denied := policy.deny with input as identity
		fixture.severities(denied) == {"critical"}
	}
}

public_info := {"role": {"kind": "ClusterRole", "namespace": "", "name": "system:public-info-viewer", "bootstrap": true}}

cluster_info := {"role": {"kind": "Role", "namespace": "kube-public", "name": "kubeadm:bootstrap-signer-clusterinfo", "bootstrap": true}}

test_what_is_meant_to_be_public_passes if {
	count(policy.deny) == 0 with input as unauthenticated(public_info)
	count(policy.deny) == 0 with input as anonymous(cluster_info)
}

test_a_role_that_only_has_the_name_fails if {
	every role in [public_info, cluster_info] {
		denied := policy.deny with input as anonymous(object.union(role, {"role": {"bootstrap": false}}))
		fixture.severities(denied) == {"critical"}
	}
}

test_others_are_not_meant if {
	policy.applies with input as anonymous({})
	not policy.applies with input as fixture.clean
	not policy.applies with input as object.union(anonymous({}), {"name": "alice"})
}
