package postscan.lib.primitives_test

import data.postscan.lib.primitives
import data.postscan.lib.rights

rule(verbs, groups, resources) := {
	"verbs": verbs,
	"api_groups": groups,
	"resources": resources,
	"resource_names": [],
	"non_resource_urls": [],
	"from": "",
}

wild(r) := primitives.wildcard_rules([{"via": "", "rules": [r]}])

test_forms_of_resources if {
	count(wild(rule(["*"], [""], ["pods"]))) == 1
	count(wild(rule(["get"], [""], ["*"]))) == 1
	count(wild(rule(["get"], ["*"], ["*/proxy"]))) == 1
	count(wild(rule(["get"], ["*"], ["*/status"]))) == 0
	count(wild(rule(["get"], ["*"], ["pods/*", "*/*"]))) == 0
	{w.objects | some w in wild(rule(["*"], ["*"], ["pods/*", "*/*"]))} == {false}
}

test_everything_takes_all_three if {
	every w in wild(rule(["*"], ["*"], ["*"])) {
		primitives.everything(w)
	}
	every r in [rule(["*"], ["apps"], ["*"]), rule(["get"], ["*"], ["*"]), rule(["*"], ["*"], ["pods"])] {
		every w in wild(r) {
			not primitives.everything(w)
		}
	}
}

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

takeovers(list) := {h.check | some h in primitives.takeovers(rights.index(list), [], 36)}

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
