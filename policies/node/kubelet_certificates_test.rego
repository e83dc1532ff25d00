package postscan.node.kubelet_certificates_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.kubelet_certificates as policy

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	found(policy.deny) == {["client-ca", "high"]} with input as fixture.node({"kubelet": {"client_ca_file": ""}})
	found(policy.deny) == {["serving", "medium"]} with input as fixture.node({"kubelet": {"server_tls_bootstrap": false}})
	case_1 := fixture.node({"kubelet": {"server_tls_bootstrap": false, "tls_cert_file": "/c"}})
	found(policy.deny) == {["serving", "medium"]} with input as case_1
	found(policy.deny) == {["rotation", "medium"]} with input as fixture.node({"kubelet": {"rotate_certificates": false}})
	found(policy.deny) == {["gate", "medium"]} with input as fixture.node({"kubelet": {"rotate_server_gate": "false"}})
}

test_files_of_its_own_are_fine if {
	case_2 := fixture.node({"kubelet": {"server_tls_bootstrap": false, "tls_cert_file": "/c", "tls_private_key_file": "/k"}})
	found(policy.deny) == set() with input as case_2
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
}
