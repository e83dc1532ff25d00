# METADATA
# description: |
#   What an identity may do, and the findings that are made of it. Rights are matched by the collector as the RBAC authorizer does;
#   here they are only asked. A hit is a right that a check is about; the hits of one role become one finding, which tells the way
#   from the binding over the role to the rule and the least that has to change.
package postscan.lib.rights

# index sorts rights by resource, so that a check finds those that it asks about without looking at the others.
index(list) := {resource: of |
	some resource in {r.resource | some r in list}
	of := [r | some r in list; r.resource == resource]
}

# held are the rights of an identity by resource, worked out once for all checks of it.
held := index(input.rights)

# on lists the rights on some resources.
on(by_resource, resources) := [r |
	some resource in resources
	some r in by_resource[resource]
]

# share: there is an object that both rights reach.
share(a, _) if a.cluster_wide

share(_, b) if b.cluster_wide

share(a, b) if {
	some namespace in a.namespaces
	namespace in b.namespaces
}

# same_names: no list of names keeps the two rights apart.
same_names(a, _) if count(a.names) == 0

same_names(_, b) if count(b.names) == 0

same_names(a, b) if {
	some name in a.names
	name in b.names
}

any_name(r) if count(r.names) == 0

# gives: the right holds one of the verbs.
gives(r, verbs) if {
	some verb in verbs
	verb in r.verbs
}

# hit is a right that a check is about, with those of its verbs that it is about.
hit(r, verbs, severity, what) := {
	"grant": r.grant,
	"rule": r.rule,
	"via": r.via,
	"cluster_wide": r.cluster_wide,
	"namespaces": r.namespaces,
	"resource": r.resource,
	"gives": "",
	"verbs": found,
	"object": concat("", [r.resource, only(r.names)]),
	"wildcard": r.wildcard,
	"severity": severity,
	"what": what,
} if {
	found := [verb | some verb in r.verbs; verb in verbs]
	count(found) > 0
}

default only(_) := ""

only(names) := sprintf(" (only %s)", [few(names)]) if count(names) > 0

# few names of a list that may be long.
few(list) := concat(", ", list) if {
	count(list) < 5
} else := sprintf("%s and %d more", [concat(", ", array.slice(list, 0, 3)), count(list) - 3])

# own sorts hits by the identity's own grant that gives them: one finding for each role. What it has as a member of a group is the group's
# finding: it is told once, where it can be mended.
own(hits) := {i: of |
	some i in {h.grant | some h in hits; h.via == ""}
	of := [h | some h in hits; h.grant == i; h.via == ""]
}

# A grant that Kubernetes or a component of the cluster installs is told as info, in the same words for all: it is there to be seen and
# does not bury the others.
finding(grants, i, hits, mend) := {
	"message": sprintf("system: %s, as it comes with the cluster", [what(hits)]),
	"path": place(i, hits),
	"value": {
		"system": true,
		"path": way(grants[i], hits),
		"rights": texts(hits),
		"scope": scope(grants[i]),
		"mend": "nothing, it comes with the cluster",
	},
	"key": role(grants[i].role),
	"severity": "info",
} if {
	grants[i].bootstrap
} else := {
	"message": sprintf("%s %s: %s, by %s", [what(hits), scope(grants[i]), texts(hits), way(grants[i], hits)]),
	"path": place(i, hits),
	"value": {
		"system": false,
		"path": way(grants[i], hits),
		"rights": texts(hits),
		"scope": scope(grants[i]),
		"mend": mending(grants[i], hits, mend),
	},
	"key": role(grants[i].role),
	"severity": worst(hits),
}

place(i, hits) := sprintf("grants[%d].rules[%d]", [i, min({h.rule | some h in hits})])

ranks := ["critical", "high", "medium", "low", "info"]

worst(hits) := [s | some s in ranks; s in {h.severity | some h in hits}][0]

what(hits) := min({h.what | some h in hits; h.severity == worst(hits)})

# texts says what the hits give: verbs once for all objects that have the same.
texts(hits) := sentence(sort({h.gives | some h in hits; h.gives != ""} | lines(spelled(hits))))

spelled(hits) := {object_name: verbs |
	some object_name in {h.object | some h in hits; h.gives == ""}
	verbs := concat(", ", sort({v | some h in hits; h.object == object_name; some v in h.verbs}))
}

lines(by_object) := {line |
	some verbs in by_object
	line := sprintf("%s %s", [verbs, few(sort({o | some o, v in by_object; v == verbs}))])
}

sentence(list) := concat("; ", list) if {
	count(list) < 5
} else := sprintf("%s; and %d more", [concat("; ", array.slice(list, 0, 3)), count(list) - 3])

# way is the path from the binding over the role to the rules.
way(grant, hits) := sprintf("%s → %s → %s", [bindings(grant), role(grant.role), rules(grant, hits)])

bindings(grant) := few([named(b) | some b in grant.bindings])

role(r) := named(r)

named(it) := sprintf("%s/%s", [it.kind, it.name]) if {
	it.namespace == ""
} else := sprintf("%s/%s/%s", [it.namespace, it.kind, it.name])

rules(grant, hits) := few([sprintf("rules[%d]%s", [i, from(grant.rules[i])]) | some i in sort({h.rule | some h in hits})])

default from(_) := ""

from(rule) := sprintf(" (from ClusterRole/%s)", [rule.from]) if rule.from != ""

scope(grant) := "in the whole cluster" if {
	grant.cluster_wide
} else := sprintf("in the namespace %s", [grant.namespaces[0]]) if {
	count(grant.namespaces) == 1
} else := sprintf("in the namespaces %s", [few(grant.namespaces)])

# kept: who changes the rules of the role finds them as before, for Kubernetes or what others add by label puts them back.
kept(role) if role.bootstrap

kept(role) if role.aggregated

# mending says the least that has to change: the rule where the role is the people's own, and the binding where it is Kubernetes' own
# or made of others by label, for more people hold that one and it is put back.
mending(grant, hits, mend) := sprintf("bind a role of your own without it in place of %s in %s; %s", [
	role(grant.role),
	bindings(grant),
	mend,
]) if {
	kept(grant.role)
} else := sprintf("in %s of %s name the verbs and resources that are used in place of *; %s", [
	rules(grant, hits),
	role(grant.role),
	mend,
]) if {
	some h in hits
	h.wildcard
} else := sprintf("take %s out of %s of %s; %s", [texts(hits), rules(grant, hits), role(grant.role), mend])

# granted is the finding of a grant as a whole, where it is wrong whatever it gives.
granted(grant, i, severity, what, mend) := {
	"message": sprintf("system: %s, as it comes with the cluster", [what]),
	"path": sprintf("grants[%d]", [i]),
	"value": {
		"system": true,
		"path": link(grant),
		"rights": total(grant),
		"scope": scope(grant),
		"mend": "nothing, it comes with the cluster",
	},
	"key": role(grant.role),
	"severity": "info",
} if {
	grant.bootstrap
} else := {
	"message": sprintf("%s %s: %s, by %s", [what, scope(grant), total(grant), link(grant)]),
	"path": sprintf("grants[%d]", [i]),
	"value": {"system": false, "path": link(grant), "rights": total(grant), "scope": scope(grant), "mend": mend},
	"key": role(grant.role),
	"severity": severity,
}

link(grant) := sprintf("%s → %s", [bindings(grant), role(grant.role)])

# total says what a role gives in a few words.
total(grant) := "a role that was not seen" if {
	grant.role.found != "true"
} else := few([rule_text(rule) | some rule in grant.rules])

rule_text(rule) := sprintf("%s %s%s", [few(rule.verbs), few(rule.resources), only(rule.resource_names)]) if {
	count(rule.resources) > 0
} else := sprintf("%s %s", [few(rule.verbs), few(rule.non_resource_urls)])
