# METADATA
# scope: package
# schemas:
#   - input: schema["workload"]
# custom:
#   part_of: PS-RBAC-030
#   needs: [identity.exists, identity.service_account, pod_path]
#   optional: [identity.grants]
package postscan.workload.missing_service_account

# Where a binding names the account too, the binding is judged: it gives something away.
deny contains {
	"message": sprintf("the service account %s does not exist: pods are refused until it does", [input.identity.service_account]),
	"path": concat("", [input.pod_path, ".serviceAccountName"]),
	"value": {"system": false, "subject": input.identity.service_account, "mend": "create the service account, or correct the name"},
	"key": input.identity.service_account,
	"severity": "info",
} if {
	input.identity.exists == "false"
	count([grant | some grant in input.identity.grants; grant.via == ""]) == 0
}
