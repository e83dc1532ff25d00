# METADATA
# description: A ClusterRole as the collector writes it.
package postscan.role.fixture_test

of(changes) := object.union(clean, changes)

clean := {
	"kind": "ClusterRole",
	"namespace": "",
	"bootstrap": false,
	"system": "",
	"bound": true,
	"aggregates_to": [],
	"aggregated": false,
	"rules": [rule(["get"], [""], ["configmaps"])],
	"rights": [],
}

rule(verbs, groups, resources) := {
	"verbs": verbs,
	"api_groups": groups,
	"resources": resources,
	"resource_names": [],
	"non_resource_urls": [],
	"from": "",
}

right(i, resource, verbs) := {
	"resource": resource,
	"verbs": verbs,
	"names": [],
	"rule": i,
	"path": sprintf("rules[%d]", [i]),
}
