# METADATA
# description: |
#   What can be done with rights: one function for each check of what an identity may do, so that checks of an identity, of a group and
#   of a workload mean the same by it. Each takes the rights by resource (rights.index) and returns its hits with their severity.
package postscan.lib.primitives

import data.postscan.lib.rights
import data.postscan.lib.wildcards

reading := {"get", "list", "watch"}

changing := {"create", "update", "patch"}

writing := {"create", "update", "patch", "delete", "deletecollection"}

cluster_roles := "clusterroles.rbac.authorization.k8s.io"

roles := "roles.rbac.authorization.k8s.io"

cluster_role_bindings := "clusterrolebindings.rbac.authorization.k8s.io"

role_bindings := "rolebindings.rbac.authorization.k8s.io"

# owners are the kinds that make pods.
owners := [
	"replicationcontrollers",
	"deployments.apps",
	"daemonsets.apps",
	"statefulsets.apps",
	"replicasets.apps",
	"jobs.batch",
	"cronjobs.batch",
]

secrets_everywhere(held) := {h |
	some r in held.secrets
	r.cluster_wide
	rights.any_name(r)
	h := rights.hit(r, reading, token_severity(r), "can read every Secret")
}

token_severity(r) := "critical" if {
	r.privileged_token == "true"
} else := "high"

secrets_in_namespace(held) := {h |
	some r in held.secrets
	not r.cluster_wide
	rights.any_name(r)
	some kind in [
		{"verbs": reading, "what": "can read the Secrets"},
		{"verbs": writing, "what": "can write the Secrets"},
	]
	h := rights.hit(r, kind.verbs, namespace_severity(r), kind.what)
}

namespace_severity(r) := "high" if {
	r.system
} else := "high" if {
	r.privileged
} else := "medium"

pods(held) := starts | swaps if {
	starts := {h |
		some resource in pods_and_owners
		some r in held[resource]
		h := rights.hit(r, starting(r), pod_severity(r), "can run code as any service account")
	}
	swaps := {h |
		some r in held.pods
		h := rights.hit(r, {"update", "patch"}, "medium", "can change the image of running pods")
	}
}

starting(r) := {"create"} if {
	r.resource == "pods"
} else := changing

pod_severity(r) := "critical" if {
	r.weakest == "privileged"
} else := "high"

pods_and_owners := array.concat(["pods"], owners)

# exec: until 1.34 a WebSocket is opened with get; from 1.35 on create is asked for as well. Where the version is not known the
# worse counts.
exec(held, minor) := {h |
	some resource in ["pods/exec", "pods/attach"]
	some r in held[resource]
	some kind in [
		{"verbs": websocket(minor), "severity": "high", "what": "can run commands in pods"},
		{"verbs": {"get"}, "severity": "low", "what": "has the half of what commands in pods take"},
	]
	h := rights.hit(r, kind.verbs, kind.severity, kind.what)
}

websocket(minor) := {"create", "get"} if {
	minor < 35
} else := {"create"}

ephemeral_containers(held) := {h |
	some r in held["pods/ephemeralcontainers"]
	h := rights.hit(r, {"update", "patch"}, "high", "can put containers into running pods")
}

forward(held, minor) := ports | proxies if {
	ports := {h |
		some r in held["pods/portforward"]
		h := rights.hit(r, websocket(minor), "medium", "can reach ports of pods through the API server")
	}
	proxies := {h |
		some resource in ["pods/proxy", "services/proxy"]
		some r in held[resource]
		h := rights.hit(r, {verb | some verb in r.verbs}, "medium", "can reach ports of pods through the API server")
	}
}

node_proxy(held) := {h |
	some r in held["nodes/proxy"]
	h := rights.hit(r, {verb | some verb in r.verbs}, "critical", "can run commands in every pod through the kubelets")
}

# escalate: with it a role can be given rights that its writer does not have. A role that is only created has to be bound as well, or
# be taken in by a role that the identity holds.
escalate(held, grants) := {h |
	some kind in [cluster_roles, roles]
	some e in held[kind]
	"escalate" in e.verbs
	some w in held[kind]
	rights.share(e, w)
	rights.same_names(e, w)
	completes(held, grants, kind, e, w)
	some r in [e, w]
	h := rights.hit(r, {"escalate", "create", "update", "patch"}, escalate_severity(kind, e, w), "can write itself any right")
}

completes(_, _, _, _, w) if rights.gives(w, {"update", "patch"})

completes(held, _, _, e, w) if {
	"create" in w.verbs
	some resource in [cluster_roles, roles]
	some b in held[resource]
	"bind" in b.verbs
	rights.share(e, b)
}

completes(_, grants, kind, _, w) if {
	kind == cluster_roles
	"create" in w.verbs
	some grant in grants
	grant.role.aggregated
}

escalate_severity(kind, e, w) := "critical" if {
	kind == cluster_roles
} else := pair_severity(e, w)

pair_severity(a, b) := "critical" if {
	a.system
	b.system
} else := "high"

# bind: with it a role can be bound that its holder does not have. The API server asks for it in the namespace of the binding.
bind(held) := everywhere | within if {
	everywhere := {h |
		some b in held[cluster_roles]
		"bind" in b.verbs
		b.cluster_wide
		any_role(b)
		some w in held[cluster_role_bindings]
		rights.gives(w, changing)
		some r in [b, w]
		h := rights.hit(r, {"bind", "create", "update", "patch"}, "critical", "can bind any role to itself")
	}
	within := {h |
		some resource in [cluster_roles, roles]
		some b in held[resource]
		"bind" in b.verbs
		any_role(b)
		some w in held[role_bindings]
		rights.gives(w, changing)
		rights.share(b, w)
		some r in [b, w]
		h := rights.hit(r, {"bind", "create", "update", "patch"}, pair_severity(b, w), "can bind any role to itself")
	}
}

# any_role: the right to bind is not kept to harmless roles by their names.
any_role(b) if rights.any_name(b)

any_role(b) if "cluster-admin" in b.names

# write_rbac is what neither escalate nor bind takes further.
write_rbac(held, grants) := {h |
	written := rights.on(held, [cluster_roles, roles, cluster_role_bindings, role_bindings])
	count(written) > 0
	taken := {[t.grant, t.rule, t.resource] | some t in (escalate(held, grants) | bind(held))}
	some r in written
	not [r.grant, r.rule, r.resource] in taken
	h := rights.hit(r, writing, "medium", "can pass on its rights and delete those of others")
}

impersonate(held, grants, minor) := plain | constrained(held, grants, minor) if {
	plain := {h |
		some resource in ["users", "groups", "serviceaccounts", "uids.authentication.k8s.io", "userextras.authentication.k8s.io/*"]
		some r in held[resource]
		h := rights.hit(r, {"impersonate"}, impersonate_severity(r), "can act as others")
	}
}

impersonate_severity(r) := "critical" if {
	r.resource in {"users", "groups"}
	rights.any_name(r)
} else := "critical" if {
	r.resource == "groups"
	"system:masters" in r.names
} else := "medium" if {
	not rights.any_name(r)
} else := "critical" if {
	r.resource == "serviceaccounts"
	r.system
} else := "critical" if {
	r.resource == "serviceaccounts"
	r.privileged
} else := "high"

# constrained impersonation, from 1.36 on: it takes a second verb for what is to be done, and is never of system:masters.
constrained(held, grants, minor) := {h |
	constrained_version(minor)
	acts(grants)
	some resource in [
		"users.authentication.k8s.io",
		"groups.authentication.k8s.io",
		"uids.authentication.k8s.io",
		"userextras.authentication.k8s.io/*",
		"serviceaccounts.authentication.k8s.io",
		"nodes.authentication.k8s.io",
	]
	some r in held[resource]
	h := rights.hit(r, constrained_verbs, constrained_severity(r), "can do some things as others")
}

constrained_verbs := {"impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node", "impersonate:associated-node"}

constrained_version(0)

constrained_version(minor) if minor > 35

acts(grants) if {
	some grant in grants
	some rule in grant.rules
	some verb in rule.verbs
	regex.match(`^(?:\*|impersonate-on:.*)$`, verb)
}

constrained_severity(r) := "high" if {
	rights.any_name(r)
} else := "medium"

# tokens: one account by name, in a namespace of people's own, is what the right is for.
tokens(held) := {h |
	some r in held["serviceaccounts/token"]
	severity := token_reach(r)
	h := rights.hit(r, {"create"}, severity, "can make tokens of service accounts")
}

token_reach(r) := "critical" if {
	rights.any_name(r)
	r.system
} else := "high" if {
	rights.any_name(r)
} else := "high" if {
	r.system
}

# forged_tokens: a Secret of the type service-account-token is filled by a controller, and then read.
forged_tokens(held) := {h |
	some w in held.secrets
	rights.gives(w, changing)
	some r in held.secrets
	rights.gives(r, reading)
	rights.share(w, r)
	reaches_same(w, r)
	some right in [w, r]
	h := rights.hit(right, reading | changing, "high", "can make tokens of service accounts by way of Secrets")
}

reaches_same(w, _) if "create" in w.verbs

reaches_same(w, r) if rights.same_names(w, r)

certificates(held) := approved | signed if {
	approved := {h |
		some c in held["certificatesigningrequests.certificates.k8s.io"]
		"create" in c.verbs
		some a in held["certificatesigningrequests.certificates.k8s.io/approval"]
		rights.gives(a, {"update", "patch"})
		some s in held["signers.certificates.k8s.io"]
		"approve" in s.verbs
		client_signer(s)
		some r in [c, a, s]
		h := rights.hit(r, {"create", "update", "patch", "approve"}, "critical", "can issue itself client certificates")
	}
	signed := {h |
		some t in held["certificatesigningrequests.certificates.k8s.io/status"]
		rights.gives(t, {"update", "patch"})
		some s in held["signers.certificates.k8s.io"]
		"sign" in s.verbs
		client_signer(s)
		some r in [t, s]
		h := rights.hit(r, {"update", "patch", "sign"}, "critical", "can issue itself client certificates")
	}
}

client_signer(s) if rights.any_name(s)

client_signer(s) if {
	some name in s.names
	name in {"kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*"}
}

admission(held) := {h |
	some resource in [
		"mutatingwebhookconfigurations.admissionregistration.k8s.io",
		"validatingwebhookconfigurations.admissionregistration.k8s.io",
		"validatingadmissionpolicies.admissionregistration.k8s.io",
		"validatingadmissionpolicybindings.admissionregistration.k8s.io",
		"mutatingadmissionpolicies.admissionregistration.k8s.io",
		"mutatingadmissionpolicybindings.admissionregistration.k8s.io",
	]
	some r in held[resource]
	h := rights.hit(r, writing, "critical", "can change what the API server lets in")
}

# volumes: a volume is of use to who can claim it or start a pod with a claim.
volumes(held) := {h |
	some r in held.persistentvolumes
	claims(held)
	h := rights.hit(r, changing, "high", "can mount any path of a node")
}

claims(held) if {
	some c in held.persistentvolumeclaims
	rights.gives(c, changing)
}

claims(held) if {
	some resource in owners
	some c in held[resource]
	rights.gives(c, changing)
}

claims(held) if {
	some c in held.pods
	"create" in c.verbs
}

nodes(held) := changed | steered if {
	changed := {h |
		some resource in ["nodes", "nodes/status"]
		some r in held[resource]
		h := rights.hit(r, {"update", "patch", "delete"}, "medium", "can steer pods to a node of its choice")
	}
	steered := {h |
		some e in held["pods/eviction"]
		"create" in e.verbs
		some b in held["pods/binding"]
		"create" in b.verbs
		rights.share(e, b)
		some r in [e, b]
		h := rights.hit(r, {"create"}, "medium", "can steer pods to a node of its choice")
	}
}

# namespaces: who may change one by name is meant to.
namespaces(held) := {h |
	some r in held.namespaces
	rights.any_name(r)
	h := rights.hit(r, {"update", "patch"}, "high", "can take Pod Security off a namespace")
}

# takeovers are the hits by which one step, or two, lead to the node or the cluster, each with the id of its check.
takeovers(held, grants, wild, minor) := {object.union(h, {"check": id}) |
	some id, hits in {
		"PS-RBAC-001": wildcards.cluster_admin(grants, wild, "high"),
		"PS-RBAC-002": wildcards.all_objects(grants, wild),
		"PS-RBAC-003": wildcards.others(grants, wild),
		"PS-RBAC-004": secrets_everywhere(held),
		"PS-RBAC-005": secrets_in_namespace(held),
		"PS-RBAC-006": pods(held),
		"PS-RBAC-007": exec(held, minor),
		"PS-RBAC-008": ephemeral_containers(held),
		"PS-RBAC-010": node_proxy(held),
		"PS-RBAC-011": escalate(held, grants),
		"PS-RBAC-012": bind(held),
		"PS-RBAC-014": impersonate(held, grants, minor),
		"PS-RBAC-015": tokens(held),
		"PS-RBAC-016": forged_tokens(held),
		"PS-RBAC-017": certificates(held),
		"PS-RBAC-018": admission(held),
		"PS-RBAC-019": volumes(held),
		"PS-RBAC-021": namespaces(held),
	}
	some h in hits
	h.severity in {"critical", "high"}
}
