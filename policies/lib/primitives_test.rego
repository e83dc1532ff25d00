package postscan.lib.primitives_test

import data.postscan.lib.primitives
import data.postscan.lib.rights

right(resource, verbs) := {
	"resource": resource,
	"verbs": verbs,
	"wildcard": false,
	"names": [],
	"cluster_wide": false,
	"namespaces": ["shop"],
	"system": false,
	"privileged": false,
	"privileged_token": "false",
	"weakest": "baseline",
	"via": "",
	"grant": 0,
	"rule": 0,
}

takeovers(list) := {h.check | some h in primitives.takeovers(rights.index(list), [], set(), 36)}

test_takeovers_are_critical_or_high_and_carry_their_check if {
	takeovers([right("pods/exec", ["create"]), right("pods", ["create"])]) == {"PS-RBAC-006", "PS-RBAC-007"}
	takeovers([object.union(right("secrets", ["list"]), {"privileged": true})]) == {"PS-RBAC-005"}
}

test_what_is_less_is_no_takeover if {
	count(takeovers([])) == 0
	count(takeovers([right("secrets", ["list"])])) == 0
	count(takeovers([right("pods", ["patch"]), right("pods/exec", ["get"]), right("services", ["create"])])) == 0
	count(takeovers([right("rolebindings.rbac.authorization.k8s.io", ["create"]), right("nodes", ["patch"])])) == 0
}
