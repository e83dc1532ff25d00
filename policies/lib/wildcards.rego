# METADATA
# description: |
#   Rules that say "*". The functions take grants, for a wildcard gives what no list of resources can name, and return hits as the
#   primitives do.
package postscan.lib.wildcards

import data.postscan.lib.rights

# found are those of an identity, worked out once for all checks of it.
found := of(input.grants)

# of finds the rules that say "*". "x/*" and "*/*" are names that nothing has, so a rule of those alone gives nothing.
of(grants) := {w |
	some i, grant in grants
	some j, rule in grant.rules
	starred(rule)
	resources := {r | some r in rule.resources; not endswith(r, "/*")}
	w := {
		"grant": i,
		"rule": j,
		"via": grant.via,
		"verbs": "*" in rule.verbs,
		"resources": "*" in resources,
		"groups": "*" in rule.api_groups,
		"named": count(rule.resource_names) > 0,
		"objects": count(resources) > 0,
		"urls": "*" in rule.non_resource_urls,
	}
}

starred(rule) if "*" in rule.verbs

starred(rule) if "*" in rule.resources

starred(rule) if {
	some r in rule.resources
	r in sensitive
}

# sensitive are the subresources that lead on, of every kind.
sensitive := {
	"*/exec",
	"*/attach",
	"*/portforward",
	"*/proxy",
	"*/ephemeralcontainers",
	"*/token",
	"*/approval",
	"*/binding",
	"*/eviction",
}

# everything: the rule gives every verb on every object.
everything(w) if {
	w.verbs
	w.resources
	w.groups
	not w.named
}

hit(grant, w, severity, what, gives) := {
	"grant": w.grant,
	"rule": w.rule,
	"via": w.via,
	"cluster_wide": grant.cluster_wide,
	"namespaces": grant.namespaces,
	"resource": "*",
	"gives": gives,
	"verbs": [],
	"object": "",
	"wildcard": true,
	"severity": severity,
	"what": what,
}

administrator(role) if {
	role.kind == "ClusterRole"
	role.name == "cluster-admin"
}

# cluster_admin finds grants of cluster-admin or of a role with the same rules.
cluster_admin(grants, wild_rules, severity) := {h |
	some w in wild_rules
	everything(w)
	grant := grants[w.grant]
	equals_cluster_admin(grants, wild_rules, w.grant)
	h := hit(grant, w, severity, "is cluster-admin", "every verb on every object")
}

equals_cluster_admin(grants, _, i) if administrator(grants[i].role)

equals_cluster_admin(_, wild_rules, i) if {
	some w in wild_rules
	w.grant == i
	w.urls
	w.verbs
}

# all_objects finds the same under another name.
all_objects(grants, wild_rules) := objects | urls if {
	objects := {h |
		some w in wild_rules
		everything(w)
		grant := grants[w.grant]
		not administrator(grant.role)
		h := hit(grant, w, reach(grant), "has every verb on every object", "every verb on every object")
	}
	full := {h.grant | some h in objects}
	urls := {h |
		some w in wild_rules
		w.urls
		w.verbs
		not w.grant in full
		grant := grants[w.grant]
		grant.cluster_wide
		not administrator(grant.role)
		h := hit(grant, w, "medium", "has every verb on every path that is no object", "every verb on every non-resource URL")
	}
}

reach(grant) := "critical" if {
	grant.cluster_wide
} else := "high"

# others finds the other rules with "*".
others(grants, wild_rules) := {h |
	some w in wild_rules
	not everything(w)
	w.objects
	grant := grants[w.grant]
	h := hit(grant, w, "high", "has rights by a wildcard", text(w, grant.rules[w.rule]))
}

text(w, rule) := sprintf("every verb on %s%s", [listed(w, rule), rights.only(rule.resource_names)]) if {
	w.verbs
} else := sprintf("%s on %s%s", [rights.few(rule.verbs), listed(w, rule), rights.only(rule.resource_names)])

listed(w, rule) := sprintf("every resource of %s", [groups(rule.api_groups)]) if {
	w.resources
} else := sprintf("%s of %s", [rights.few(rule.resources), groups(rule.api_groups)])

groups(list) := "every API group" if {
	"*" in list
} else := rights.few([name | some group in list; name := {true: "the core group", false: group}[group == ""]])
