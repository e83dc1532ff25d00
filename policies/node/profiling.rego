# METADATA
# scope: package
# schemas:
#   - input: schema["node"]
# custom:
#   part_of: PS-CP-012
#   needs: [kubelet, kubelet_callers]
package postscan.node.profiling

deny contains {
	"message": sprintf("the kubelet answers %s to others than administrators: %s", [what, who]),
	"path": sprintf("kubelet.%s", [what]),
	"value": true,
	"key": what,
} if {
	some what in on
	some who in asking
}

# Debugging handlers carry the other two.
on contains what if {
	input.kubelet.debugging_handlers
	some what in ["debug_flags_handler", "profiling_handler"]
	input.kubelet[what]
}

on contains "system_log_query" if {
	input.kubelet.debugging_handlers
	input.kubelet.system_log_handler
	input.kubelet.system_log_query
}

# One of them is enough to say so.
asking contains "everybody, for it does not authorize" if open

asking contains sprintf("%s and others, by the rights of the cluster", [input.kubelet_callers[0]]) if {
	not open
	count(input.kubelet_callers) > 0
}

open if input.kubelet.authorization_mode == "AlwaysAllow"
