package postscan.node.edge_tamper_test

import data.postscan.node.edge_tamper as policy
import data.postscan.node.fixture_test as fixture

edge(changes) := fixture.node(object.union({"edge": true, "disk_encrypted": "true", "secure_boot": "true", "tpm": "true"}, changes))

keys(denied) := {d.key | some d in denied}

file(role) := {"path": "/f", "role": role, "mode": 384, "owner": "root", "group": "root"}

test_fails if {
	keys(policy.deny) == {"disk_encrypted"} with input as edge({"disk_encrypted": "false"})
	keys(policy.deny) == {"secure_boot", "tpm"} with input as edge({"secure_boot": "false", "tpm": "false"})
	every role in ["join-token", "admin-kubeconfig", "bootstrap-kubeconfig"] {
		keys(policy.deny) == {"/f"} with input as edge({"files": [file(role)]})
	}
}

test_only_edge_nodes if {
	not policy.applies with input as fixture.clean
	count(policy.deny) == 0 with input as edge({"edge": false, "disk_encrypted": "false"})
}

test_passes if {
	keys(policy.deny) == set() with input as edge({})
	keys(policy.deny) == set() with input as edge({"files": [file("kubelet-kubeconfig")]})
	count(policy.deny) == 0 with input as fixture.clean
}
