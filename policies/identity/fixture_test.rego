# METADATA
# description: |
#   An identity with rights, as the collector writes it, and ways to say what is different about another.
package postscan.identity.fixture_test

# of is a service account with one role, which gives the rights, in the namespace shop.
of(rights) := with_fields(rights, {})

with_fields(rights, changes) := object.union_n([clean, {"rights": rights}, changes])

# everywhere is the same by a ClusterRoleBinding.
everywhere(rights) := object.union(of([object.union(r, wide) | some r in rights]), {"grants": [cluster_grant]})

wide := {
	"cluster_wide": true,
	"namespaces": [],
	"system": true,
	"privileged": true,
	"weakest": "baseline",
}

# system is the same by a role and binding that come with the cluster.
system(rights) := object.union(everywhere(rights), {"grants": [object.union(cluster_grant, {"bootstrap": true})]})

# member is the same as a member of a group.
member(rights) := object.union(of([object.union(r, {"via": "system:serviceaccounts"}) | some r in rights]), {
	"grants": [object.union(grant, {"via": "system:serviceaccounts"})],
})

# ruled is an identity whose one role has the rules.
ruled(rules, changes) := object.union(of([]), {"grants": [object.union_n([grant, changes, {"rules": rules}])]})

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
	"path": "grants[0].rules[0]",
}

named(resource, verbs, names) := object.union(right(resource, verbs), {"names": names})

rule(verbs, groups, resources) := {
	"verbs": verbs,
	"api_groups": groups,
	"resources": resources,
	"resource_names": [],
	"non_resource_urls": [],
	"from": "",
}

grant := {
	"role": {
		"kind": "Role",
		"namespace": "shop",
		"name": "own",
		"found": "true",
		"bootstrap": false,
		"aggregated": false,
	},
	"bindings": [{"kind": "RoleBinding", "namespace": "shop", "name": "own"}],
	"bootstrap": false,
	"via": "",
	"cluster_wide": false,
	"namespaces": ["shop"],
	"rules": [rule(["get"], [""], ["configmaps"]), rule(["get"], [""], ["pods"]), rule(["get"], [""], ["services"])],
}

cluster_grant := object.union(grant, {
	"role": {"kind": "ClusterRole", "namespace": "", "name": "own"},
	"bindings": [{"kind": "ClusterRoleBinding", "namespace": "", "name": "own"}],
	"cluster_wide": true,
	"namespaces": [],
})

clean := {
	"type": "ServiceAccount",
	"name": "",
	"live": true,
	"default": false,
	"used": "false",
	"mapped": "false",
	"certificates": 0,
	"cluster": {
		"minor": 36,
		"distribution": "",
		"always_pull_images": "unknown",
		"deny_external_ips": "unknown",
	},
	"grants": [grant],
	"rights": [right("configmaps", ["get"])],
}

severities(denied) := {d.severity | some d in denied}
