package postscan.node.cluster_files_test

import data.postscan.node.cluster_files as policy
import data.postscan.node.fixture_test as fixture

found(denied) := {[d.key, d.severity] | some d in denied}

file(path, role, mode, owner) := fixture.node({"files": [{"path": path, "role": role, "mode": mode, "owner": owner, "group": "root"}]})

test_fails_for_secrets if {
	found(policy.deny) == {["/k read", "high"]} with input as file("/k", "private-key", 416, "root")
	found(policy.deny) == {["/a read", "high"]} with input as file("/a", "admin-kubeconfig", 420, "root")
	found(policy.deny) == {["/d read", "high"]} with input as file("/d", "etcd-data", 493, "root")
	found(policy.deny) == {["/k read", "high"], ["/k write", "high"]} with input as file("/k", "private-key", 438, "root")
}

test_fails_for_others if {
	found(policy.deny) == {["/m read", "low"]} with input as file("/m", "manifest", 420, "root")
	found(policy.deny) == {["/c write", "high"]} with input as file("/c", "certificate", 438, "root")
	found(policy.deny) == {["/m owner", "high"]} with input as file("/m", "manifest", 384, "bob")
	found(policy.deny) == {["/cni write", "high"]} with input as file("/cni", "cni-dir", 511, "root")
	found(policy.deny) == {["/s socket", "high"]} with input as file("/s", "runtime-socket", 438, "root")
}

test_fails_for_pods_over_http if {
	denied := policy.deny with input as fixture.node({"kubelet": {"static_pod_url": "http://10.0.0.1"}})
	{d.key | some d in denied} == {"static-pod-url"}
	count(policy.deny) == 0 with input as fixture.node({"kubelet": {"static_pod_url": "https://10.0.0.1"}})
}

test_passes if {
	count(policy.deny) == 0 with input as fixture.clean
	found(policy.deny) == set() with input as file("/k", "private-key", 384, "root")
	found(policy.deny) == set() with input as file("/c", "certificate", 420, "root")
	found(policy.deny) == set() with input as file("/d", "etcd-data", 448, "etcd")
	found(policy.deny) == set() with input as file("/p", "pki-dir", 493, "root")
	found(policy.deny) == set() with input as file("/s", "runtime-socket", 432, "root")
	found(policy.deny) == set() with input as file("/b", "etcd-snapshot", 420, "root")
}
