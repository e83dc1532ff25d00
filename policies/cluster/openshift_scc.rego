# METADATA
# scope: package
# title: Powerful SCC of OpenShift is granted widely
# description: |
#   A SecurityContextConstraints object that allows privileged containers, host folders, namespaces of the host or any user is
#   the right to leave the container. Who may use it, by its own lists or by RBAC's verb use, is shown; the namespaces of
#   OpenShift and Kubernetes themselves and administrators are left out. Where every authenticated user has it, Pod Security
#   and quotas stop nobody.
# related_resources:
#   - ref: https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/managing-pod-security-policies
#     description: Security context constraints
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-037
#   severities: [critical, high]
#   needs: [openshift.present, openshift.sccs]
#   remediation: |
#     Take the grant away and use restricted-v2. What really needs more gets an SCC of its own with that one thing, granted to
#     one service account.
#   references:
#     nist-800-190: ["4.4.3"]
#     cis-openshift: ["5.2.1", "5.2.10"]
#     attack-containers: [T1610, T1611]
#     owasp-k8s: [K02, K04]
#     cwe: ["250"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.openshift_scc

applies if input.openshift.present

deny contains {
	"message": sprintf("%s may use the SCC %s, which allows %s", [user, scc.name, concat(", ", sort(powers(scc)))]),
	"path": scc.path,
	"value": user,
	"key": concat(" ", [scc.name, user]),
	"severity": severity(user),
} if {
	applies
	some scc in input.openshift.sccs
	count(powers(scc)) > 0
	some user in scc.users
}

severity(user) := "critical" if user in everybody

severity(user) := "high" if not user in everybody

everybody := {
	"Group/system:authenticated",
	"Group/system:authenticated:oauth",
	"Group/system:unauthenticated",
	"Group/system:serviceaccounts",
}

powers(scc) := {what |
	some field, what in {
		"privileged": "privileged containers",
		"host_dir": "folders of the host",
		"host_network": "the host's network",
		"host_pid": "the host's processes",
		"host_ipc": "the host's IPC",
		"run_as_any": "any user",
	}
	scc[field]
}
