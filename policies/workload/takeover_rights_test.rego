package postscan.workload.takeover_rights_test

import data.postscan.workload.fixture_test as fixture
import data.postscan.workload.takeover_rights as policy

with_rights(rights, changes) := object.union(
	fixture.pod({
		"identity": {
			"automount": true,
			"service_account": "web",
			"grants": [grant],
			"rights": rights,
		},
		"component": "",
	}),
	changes,
)

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
	"rules": [{
		"verbs": ["create"],
		"api_groups": [""],
		"resources": ["pods/exec"],
		"resource_names": [],
		"non_resource_urls": [],
		"from": "",
	}],
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
	"path": "grants[0].rules[0]",
}

test_fails_with_pod_account_way_and_right if {
	denied := policy.deny with input as with_rights([right("pods/exec", ["create"])], {})
	denied == {{
		"message": concat("", [
			"the token of the service account web is mounted, which can run commands in pods (PS-RBAC-007), ",
			"by shop/RoleBinding/own → shop/Role/own",
		]),
		"path": "spec.template.spec.serviceAccountName",
		"value": {
			"system": false,
			"service_account": "web",
			"path": "shop/RoleBinding/own → shop/Role/own",
			"rights": "create pods/exec",
			"checks": ["PS-RBAC-007"],
			"mend": "split the workload, narrow the right, or mount no token",
		},
		"key": "shop/Role/own",
		"severity": "high",
	}}
}

test_each_takeover_right_counts if {
	every r in [
		["pods", "create"],
		["pods/ephemeralcontainers", "patch"],
		["nodes/proxy", "get"],
		["groups", "impersonate"],
		["serviceaccounts/token", "create"],
		["mutatingwebhookconfigurations.admissionregistration.k8s.io", "patch"],
		["namespaces", "update"],
	] {
		denied := policy.deny with input as with_rights([right(r[0], [r[1]])], {})
		count(denied) == 1
	}
	wild := object.union(grant, {"rules": [object.union(grant.rules[0], {"verbs": ["*"]})]})
	wide := policy.deny with input as with_rights([right("configmaps", ["get"])], {"identity": {"grants": [wild]}})
	{d.value.checks | some d in wide} == {["PS-RBAC-003"]}
}

test_a_token_that_a_volume_declares_counts if {
	volume := {"name": "token", "mounts": [{"container": "app"}], "tokens": [{"audience": ""}]}
	declared := with_rights([right("pods/exec", ["create"])], {"identity": {"automount": false}, "volumes": [volume]})
	count(policy.deny) == 1 with input as declared
	policy.applies with input as declared
}

test_says_in_short_where_everything_is_granted if {
	admin := object.union(grant, {
		"role": object.union(grant.role, {"kind": "ClusterRole", "name": "cluster-admin"}),
		"cluster_wide": true,
		"rules": [object.union(grant.rules[0], {"verbs": ["*"], "api_groups": ["*"], "resources": ["*"]})],
	})
	denied := policy.deny with input as with_rights([right("users", ["impersonate"])], {"identity": {"grants": [admin]}})
	some d in denied
	contains(d.message, "which is cluster-admin (PS-RBAC-001), by")
	d.value.checks == ["PS-RBAC-001", "PS-RBAC-014"]
}

test_rights_of_a_group_count if {
	through := object.union(grant, {"via": "system:serviceaccounts"})
	r := object.union(right("pods/exec", ["create"]), {"via": "system:serviceaccounts"})
	denied := policy.deny with input as with_rights([r], {"identity": {"grants": [through]}})
	some d in denied
	endswith(d.message, "shop/Role/own, as a member of system:serviceaccounts")
	d.severity == "high"
}

test_components_and_installed_roles_are_told_apart if {
	component := policy.deny with input as with_rights([right("pods/exec", ["create"])], {"component": "calico"})
	{[d.severity, d.value.system, startswith(d.message, "system: ")] | some d in component} == {["info", true, true]}
	installed := object.union(right("pods/exec", ["create"]), {"grant": -1, "path": ""})
	denied := policy.deny with input as with_rights([installed], {"identity": {"grants": []}})
	{[d.severity, d.key] | some d in denied} == {["info", "system"]}
}

test_passes_without_token_and_for_lesser_rights if {
	count(policy.deny) == 0 with input as with_rights([right("pods/exec", ["create"])], {"identity": {"automount": false}})
	not policy.applies with input as with_rights([], {"identity": {"automount": false}})
	count(policy.deny) == 0 with input as with_rights([right("services", ["create"]), right("secrets", ["get"])], {})
	count(policy.deny) == 0 with input as with_rights([right("pods", ["patch"])], {})
	count(policy.deny) == 0 with input as with_rights([], {})
}
