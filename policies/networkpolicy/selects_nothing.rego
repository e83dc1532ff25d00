# METADATA
# scope: package
# title: Network policy that selects nothing
# description: |
#   The policy's pod selector matches no pod and no pod template in its scope, or a peer of a rule matches no namespace or no pod.
#   Mostly a label is misspelt: what was meant to be closed is open, or what was meant to be allowed is refused. Where the
#   namespace runs nothing at all it is information only.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
#     description: Network policies
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
#     description: Labels and selectors
# schemas:
#   - input: schema["networkpolicy"]
# custom:
#   id: PS-NET-024
#   severities: [low, info]
#   needs: [read, selects_all, selector, matches, others, rules, path]
#   remediation: |
#     Compare the selector with "kubectl get pods --show-labels" and correct it, or delete the policy.
#   references:
#     nist-800-190: ["4.3.3"]
#     nsa-cisa: [NET2]
#     owasp-k8s: [K05]
#     cwe: ["693"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.networkpolicy.selects_nothing

deny contains {
	"message": sprintf("the selector %s matches none of the %d workloads in its scope", [input.selector, input.others]),
	"path": input.path,
	"value": input.selector,
	"key": "selector",
	"severity": "low",
} if {
	idle
	input.others > 0
}

deny contains {
	"message": sprintf("the selector %s matches nothing, for nothing runs in its scope", [input.selector]),
	"path": input.path,
	"value": input.selector,
	"key": "selector",
	"severity": "info",
} if {
	idle
	input.others == 0
}

deny contains {
	"message": sprintf("the peer %s matches nothing", [selector]),
	"path": min(paths),
	"value": selector,
	"key": concat(" ", [direction, selector]),
	"severity": "low",
} if {
	some [direction, selector] in {[d, peer.selector] | some [d, peer] in dangling}
	paths := {peer.path | some [d, peer] in dangling; d == direction; peer.selector == selector}
}

# dangling are the peers that match nothing, each with its direction.
dangling contains [rule.direction, peer] if {
	some rule in input.rules
	some peer in rule.peers
	peer.selector != ""
	not peer.matches
}

unknown contains "the policy has parts that postscan does not read" if not input.read

idle if {
	input.read
	not input.selects_all
	input.matches == 0
}
