# METADATA
# scope: package
# title: Ports published on all interfaces or flat bridge
# description: |
#   A port of the container is published on every address of a machine that has a public one: the engine's own rules of
#   the packet filter come before those of the machine's firewall. Or the container is in the default bridge, where every
#   container reaches every other; or the engine keeps no rules at all, so that nothing separates networks.
# related_resources:
#   - ref: https://docs.docker.com/engine/network/packet-filtering-firewalls/
#     description: Packet filtering and firewalls of Docker
# schemas:
#   - input: schema["container"]
# custom:
#   id: PS-ENG-015
#   severity: medium
#   needs: [ports, networks, public_address, iptables]
#   remediation: |
#     Publish on 127.0.0.1 or on an inner address (-p 127.0.0.1:8080:80) behind a proxy. Make a network for each
#     application instead of the default bridge, or set "icc": false. Leave "iptables" on.
#   references:
#     nist-800-190: ["4.4.2"]
#     cis-docker: ["2.2", "2.4", "5.14", "5.30"]
#     attack-containers: [T1133, T1046]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.container.exposed_ports

deny contains {
	"message": sprintf("port %d/%s is published on every address of the machine, one of which is public", [p.port, p.protocol]),
	"path": sprintf("ports[%d]", [i]),
	"value": p.host_port,
	"key": sprintf("port %d/%s", [p.port, p.protocol]),
} if {
	some i, p in input.ports
	p.reach == "all"
	input.public_address
}

deny contains {
	"message": sprintf("it is in the default bridge %s, where all containers reach each other", [n.name]),
	"path": sprintf("networks[%d]", [i]),
	"value": n.name,
	"key": concat(" ", ["bridge", n.name]),
} if {
	some i, n in input.networks
	n["default"]
	n.icc
}

deny contains {
	"message": "the engine keeps no rules of the packet filter, so that nothing separates its networks",
	"path": "iptables",
	"value": false,
	"key": "iptables",
} if {
	not input.iptables
	count(input.networks) > 0
}
