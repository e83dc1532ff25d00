package postscan.lib.rights_test

import data.postscan.lib.rights

wide := {"cluster_wide": true, "namespaces": []}

narrow(namespaces) := {"cluster_wide": false, "namespaces": namespaces}

test_index_keeps_every_right if {
	list := [{"resource": "pods", "rule": 0}, {"resource": "secrets", "rule": 1}, {"resource": "pods", "rule": 2}]
	held := rights.index(list)
	held == {"pods": [list[0], list[2]], "secrets": [list[1]]}
	rights.on(held, ["secrets", "pods", "nodes"]) == [list[1], list[0], list[2]]
	rights.index([]) == {}
}

test_share if {
	rights.share(wide, narrow(["a"]))
	rights.share(narrow(["a"]), wide)
	rights.share(narrow(["a", "b"]), narrow(["b"]))
	not rights.share(narrow(["a"]), narrow(["b"]))
}

test_same_names if {
	rights.same_names({"names": []}, {"names": ["a"]})
	rights.same_names({"names": ["a"]}, {"names": []})
	rights.same_names({"names": ["a", "b"]}, {"names": ["b"]})
	not rights.same_names({"names": ["a"]}, {"names": ["b"]})
}

test_few if {
	rights.few([]) == ""
	rights.few(["a", "b"]) == "a, b"
	rights.few(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
}

right := {
	"grant": 0,
	"rule": 1,
	"via": "",
	"cluster_wide": true,
	"namespaces": [],
	"resource": "secrets",
	"verbs": ["create", "get"],
	"names": ["a", "b"],
	"wildcard": false,
}

test_hit_names_the_verbs_that_matter if {
	h := rights.hit(right, {"get", "list"}, "high", "can read")
	rights.texts({h}) == "get secrets (only a, b)"
	not rights.hit(right, {"list"}, "high", "can read")
}

grant := {
	"role": {"kind": "ClusterRole", "namespace": "", "name": "own", "found": "true", "bootstrap": false, "aggregated": false},
	"bindings": [{"kind": "RoleBinding", "namespace": "shop", "name": "a"}, {"kind": "RoleBinding", "namespace": "ops", "name": "b"}],
	"bootstrap": false,
	"cluster_wide": false,
	"namespaces": ["ops", "shop"],
	"rules": [
		{"verbs": ["get"], "resources": ["pods"], "resource_names": [], "non_resource_urls": [], "from": ""},
		{"verbs": ["get"], "resources": [], "resource_names": [], "non_resource_urls": ["/metrics"], "from": "part"},
	],
}

findings(grants, hits) := {rights.finding(grants, i, of, "do less") | some i, of in rights.own(hits)}

test_one_finding_for_a_role_with_the_worst_severity if {
	hits := {
		rights.hit(right, {"get"}, "high", "can read"),
		rights.hit(object.union(right, {"rule": 0, "names": []}), {"create"}, "medium", "can write"),
	}
	found := findings([grant], hits)
	{[f.message, f.path, f.severity, f.key, f.value.mend] | some f in found} == {[
		concat("", [
			"can read in the namespaces ops, shop: create secrets; get secrets (only a, b), ",
			"by shop/RoleBinding/a, ops/RoleBinding/b → ClusterRole/own → rules[0], rules[1] (from ClusterRole/part)",
		]),
		"grants[0].rules[0]",
		"high",
		"ClusterRole/own",
		concat("", [
			"take create secrets; get secrets (only a, b) out of rules[0], rules[1] (from ClusterRole/part) of ClusterRole/own; ",
			"do less",
		]),
	]}
}

test_mending_of_wildcards_and_of_roles_that_come_with_the_cluster if {
	wild := {rights.hit(object.union(right, {"wildcard": true}), {"get"}, "high", "can read")}
	{f.value.mend | some f in findings([grant], wild)} == {concat("", [
		"in rules[1] (from ClusterRole/part) of ClusterRole/own name the verbs and resources that are used in place of *; ",
		"do less",
	])}
	every made in [{"bootstrap": true}, {"aggregated": true}] {
		installed := object.union(grant, {"role": made})
		{f.value.mend | some f in findings([installed], wild)} == {concat("", [
			"bind a role of your own without it in place of ClusterRole/own in shop/RoleBinding/a, ops/RoleBinding/b; ",
			"do less",
		])}
	}
}

test_members_have_no_findings if {
	hits := {rights.hit(object.union(right, {"via": "system:authenticated"}), {"get"}, "high", "can read")}
	count(findings([grant], hits)) == 0
}

test_granted_tells_what_the_role_gives if {
	f := rights.granted(grant, 0, "high", "has rights", "delete it")
	f.message == concat("", [
		"has rights in the namespaces ops, shop: get pods, get /metrics, ",
		"by shop/RoleBinding/a, ops/RoleBinding/b → ClusterRole/own",
	])
	unseen := rights.granted(object.union(grant, {"role": {"found": "unknown"}}), 0, "high", "has rights", "delete it")
	unseen.value.rights == "a role that was not seen"
	system := rights.granted(object.union(grant, {"bootstrap": true}), 0, "high", "has rights", "delete it")
	[system.severity, system.value.system] == ["info", true]
}
