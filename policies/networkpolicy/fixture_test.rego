# METADATA
# description: One narrow policy, whole as the collector writes it, and ways to say what is different about another.
package postscan.networkpolicy.fixture_test

# policy is the narrow one with some fields replaced.
policy(changes) := object.union(clean, changes)

# with_rule is the narrow policy whose only rule has some fields replaced.
with_rule(changes) := policy({"rules": [object.union(rule, changes)]})

# with_peer is the narrow policy whose only peer has some fields replaced.
with_peer(changes) := with_rule({"peers": [object.union(peer, changes)]})

peer := {
	"type": "pods",
	"everything": false,
	"cidr": "",
	"except": 0,
	"selector": "app=web",
	"matches": true,
	"path": "spec.ingress[0].from[0]",
}

block(cidr, except) := object.union(peer, {
	"type": "block",
	"cidr": cidr,
	"except": except,
	"selector": "",
	"everything": cidr in {"0.0.0.0/0", "::/0"},
})

rule := {
	"action": "allow",
	"direction": "ingress",
	"all_peers": false,
	"all_ports": false,
	"ports": 1,
	"port_list": ["TCP/8080"],
	"peers": [peer],
	"path": "spec.ingress[0]",
}

clean := {
	"engine": "kubernetes",
	"kind": "NetworkPolicy",
	"namespace": {"name": "shop", "declared": true, "system": false, "pod_security": {}},
	"read": true,
	"selects_all": false,
	"matches": 1,
	"others": 2,
	"selector": "app=db",
	"ingress": true,
	"egress": false,
	"rules": [rule],
	"path": "spec.podSelector",
}
