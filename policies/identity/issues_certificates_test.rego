package postscan.identity.issues_certificates_test

import data.postscan.identity.fixture_test as fixture
import data.postscan.identity.issues_certificates as policy

requests := fixture.right("certificatesigningrequests.certificates.k8s.io", ["create"])

approval := fixture.right("certificatesigningrequests.certificates.k8s.io/approval", ["update"])

status := fixture.right("certificatesigningrequests.certificates.k8s.io/status", ["patch"])

signer(verbs, names) := fixture.named("signers.certificates.k8s.io", verbs, names)

test_fails_for_create_and_approve if {
	denied := policy.deny with input as fixture.everywhere([requests, approval, signer(["approve"], [])])
	fixture.severities(denied) == {"critical"}
}

test_signers_of_clients_count if {
	denied := policy.deny with input as fixture.everywhere([
		requests, approval, signer(["approve"], ["kubernetes.io/kube-apiserver-client-kubelet"]),
	])
	fixture.severities(denied) == {"critical"}
}

test_a_domain_of_signers_counts if {
	denied := policy.deny with input as fixture.everywhere([requests, approval, signer(["approve"], ["kubernetes.io/*"])])
	fixture.severities(denied) == {"critical"}
}

test_sign_with_status_is_enough if {
	denied := policy.deny with input as fixture.everywhere([status, signer(["sign"], [])])
	fixture.severities(denied) == {"critical"}
}

test_parts_of_it_pass if {
	count(policy.deny) == 0 with input as fixture.everywhere([requests, approval])
	count(policy.deny) == 0 with input as fixture.everywhere([requests, signer(["approve"], [])])
	count(policy.deny) == 0 with input as fixture.everywhere([approval, signer(["approve"], [])])
	count(policy.deny) == 0 with input as fixture.everywhere([requests, approval, signer(["sign"], [])])
	count(policy.deny) == 0 with input as fixture.clean
}

test_signers_that_make_no_clients_pass if {
	count(policy.deny) == 0 with input as fixture.everywhere([
		requests, approval, signer(["approve", "sign"], ["kubernetes.io/kubelet-serving", "example.com/mine"]),
	])
}

test_what_comes_with_the_cluster_is_told_apart if {
	denied := policy.deny with input as fixture.system([requests, approval, signer(["approve"], [])])
	fixture.severities(denied) == {"info"}
	every d in denied {
		startswith(d.message, "system: ")
		d.value.system
	}
}

test_the_group_is_judged_not_its_members if {
	count(policy.deny) == 0 with input as fixture.member([requests, approval, signer(["approve"], [])])
}
