# METADATA
# scope: package
# title: Network policy that allows everything
# description: |
#   A rule of the policy lets everyone through: it names neither peers nor ports, all of IPv4 or IPv6 without exceptions and on every
#   port, or every pod of the cluster by a bare empty namespaceSelector. Such a policy looks like a wall and is none. An
#   egress rule to every pod for DNS alone is no finding. A rule that names no peers but some ports makes a public port, which is
#   told as information.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
#     description: Network policies
# schemas:
#   - input: schema["networkpolicy"]
# custom:
#   id: PS-NET-004
#   severities: [medium, info]
#   needs: [read, rules]
#   remediation: |
#     Name the pods, namespaces or blocks of addresses that are meant, and the ports. Beside kubernetes.io/metadata.name, give
#     namespaces labels of your own that selectors can name.
#   references:
#     nist-800-190: ["4.3.3"]
#     nsa-cisa: [NET2]
#     attack-containers: [T1210]
#     owasp-k8s: [K05]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.networkpolicy.allows_everything

import data.postscan.lib.addresses

# What several rules allow alike is one finding, which a rule more or less before them does not change.
deny contains {
	"message": sprintf("%s %s %s", [subject(paths), side(direction), what]),
	"path": min(paths),
	"value": concat("; ", {ports(rule) | some rule in rules}),
	"key": concat(" ", [direction, what]),
	"severity": "medium",
} if {
	some direction in ["ingress", "egress"]
	some what in {w | some rule in allowing; rule.direction == direction; some [_, w] in open(rule)}
	rules := {rule | some rule in allowing; rule.direction == direction; some [_, w] in open(rule); w == what}
	paths := {path | some rule in rules; some [path, w] in open(rule); w == what}
}

deny contains {
	"message": sprintf("%s %s every address on %s", [subject(paths), side(direction), list]),
	"path": min(paths),
	"value": list,
	"key": concat(" ", [direction, list]),
	"severity": "info",
} if {
	some direction in ["ingress", "egress"]
	some list in {ports(rule) | some rule in public; rule.direction == direction}
	paths := {rule.path | some rule in public; rule.direction == direction; ports(rule) == list}
}

# public are rules that open some ports to everybody.
public contains rule if {
	some rule in allowing
	rule.all_peers
	not every_port(rule)
}

subject(paths) := "the rule allows" if {
	count(paths) == 1
} else := sprintf("%d rules or peers allow", [count(paths)])

unknown contains "the policy has parts that postscan does not read" if not input.read

allowing := [rule | some rule in input.rules; rule.action == "allow"]

# open holds [path, what] for what lets everyone through in a rule.
open(rule) := {[rule.path, "every address on every port"]} if {
	rule.all_peers
	every_port(rule)
} else := wide(rule) | to_every_pod(rule)

wide(rule) := {[rule.path, "all of IPv4 or IPv6 on every port"]} if {
	every_port(rule)
	addresses.everything([p.cidr | some p in rule.peers; p.type == "block"; p.except == 0])
} else := {[p.path, "every address on every port"] |
	every_port(rule)
	some p in rule.peers
	p.type == "other"
	p.everything
}

to_every_pod(rule) := {[p.path, "every pod of the cluster"] |
	not dns(rule)
	some p in rule.peers
	p.type in {"namespaces", "both"}
	p.everything
}

# every_port is true also for a rule whose ports are all of a protocol, however that is written.
every_port(rule) if rule.all_ports

every_port(rule) if {
	some port in rule.port_list
	regex.match(`^[^/]*$|/[01]-65535$`, port)
}

dns(rule) if {
	rule.direction == "egress"
	not rule.all_ports
	every port in rule.port_list {
		port in {"UDP/53", "TCP/53", "SCTP/53", "TCP/853", "UDP/dns", "TCP/dns-tcp", "UDP/5353", "TCP/5353"}
	}
}

ports(rule) := "every port" if rule.all_ports

ports(rule) := concat(", ", rule.port_list) if not rule.all_ports

side("ingress") := "from"

side("egress") := "to"
