# METADATA
# scope: package
# schemas:
#   - input: schema["role"]
# custom:
#   part_of: PS-RBAC-003
#   needs: [rules, bound, bootstrap]
package postscan.role.wildcards

import data.postscan.lib.rights
import data.postscan.lib.wildcards

# Where a binding is in view, the identities that hold the role are judged.
applies if not input.bound

deny contains {
	"message": sprintf("gives rights by a wildcard to whoever is bound to it (%s); no binding in view does so", [rights.few(given)]),
	"path": sprintf("rules[%d]", [min({w.rule | some w in wild})]),
	"value": {"system": false, "rights": given, "mend": "name the verbs and resources that are used, or delete the role"},
	"severity": "low",
} if {
	not input.bootstrap
	count(wild) > 0
}

wild contains w if {
	some w in wildcards.of([{"via": "", "rules": input.rules}])
	w.objects
}

given := [text |
	some i in sort({w.rule | some w in wild})
	some w in wild
	w.rule == i
	text := wildcards.text(w, input.rules[i])
]
