package postscan.node.k3s_defaults_test

import data.postscan.node.fixture_test as fixture
import data.postscan.node.k3s_defaults as policy

hardened := {
	"server": "true",
	"agent-token": "(given)",
	"protect-kernel-defaults": "true",
	"secrets-encryption": "true",
	"write-kubeconfig-mode": "0600",
}

recorded := "metadata.annotations[k3s.io/node-args]"

with_flags(changes, node) := object.union(fixture.node(node), {"k3s": [{"name": name, "value": value, "path": recorded} |
	some name, value in object.union(hardened, changes)
	value != null
]})

found(denied) := {[d.key, d.severity] | some d in denied}

test_fails if {
	case_1 := with_flags({"write-kubeconfig-mode": "644"}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == {["write-kubeconfig-mode", "high"]} with input as case_1
	case_2 := with_flags({"agent-token": null}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == {["agent-token", "high"]} with input as case_2
	case_3 := with_flags({"secrets-encryption": null}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == {["secrets-encryption", "medium"]} with input as case_3
	case_4 := with_flags({"protect-kernel-defaults": null}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == {["protect-kernel-defaults", "low"]} with input as case_4
	case_5 := with_flags({"disable-network-policy": "true"}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == {["disable-network-policy", "medium"]} with input as case_5
}

test_rke2_encrypts_by_itself if {
	case := with_flags({"secrets-encryption": null, "protect-kernel-defaults": null, "profile": "cis"}, {"cluster": {"distribution": "rke2"}})
	count(policy.deny) == 0 with input as case
}

test_agents_are_not_concerned if {
	case := with_flags({"server": null, "agent": "true", "agent-token": null}, {})
	not policy.applies with input as case
	count(policy.deny) == 0 with input as case
}

test_passes if {
	found(policy.deny) == set() with input as with_flags({}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == set() with input as with_flags({"write-kubeconfig-mode": null}, {"cluster": {"distribution": "k3s"}})
	by_kubelet := {"kubelet-arg": "protect-kernel-defaults=true", "protect-kernel-defaults": null}
	found(policy.deny) == set() with input as with_flags(by_kubelet, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == set() with input as with_flags({"disable-network-policy": "false"}, {"cluster": {"distribution": "k3s"}})
	case_6 := with_flags({"agent-token": null, "agent-token-file": "/etc/agent"}, {"cluster": {"distribution": "k3s"}})
	found(policy.deny) == set() with input as case_6
	count(policy.deny) == 0 with input as fixture.clean
}
