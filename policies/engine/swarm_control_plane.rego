# METADATA
# scope: package
# title: "Swarm: control plane weak"
# description: |
#   The managers of the swarm guard its secrets badly: a stolen disk of one gives all of them where autolock is off,
#   certificates of nodes live longer than 90 days, the managers' port is open on a machine with a public address. Too few
#   or an even number of managers, managers that run tasks, and a swarm that nobody uses are of low weight.
# related_resources:
#   - ref: https://docs.docker.com/engine/swarm/swarm_manager_locking/
#     description: Lock your swarm
#   - ref: https://docs.docker.com/engine/swarm/admin_guide/
#     description: Administer a swarm
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-020
#   severities: [medium, low]
#   needs: [swarm]
#   optional: [listeners, public_address]
#   remediation: |
#     docker swarm update --autolock=true --cert-expiry 2160h; keep the unlock key elsewhere. Initialise with --listen-
#     addr and --data-path-addr of an inner network. Run three or five managers and drain them (docker node update
#     --availability drain). Leave a swarm that is not used.
#   references:
#     nist-800-190: ["4.3.5", "4.3.2"]
#     cis-docker: ["5.1", "7.1", "7.2", "7.5", "7.6", "7.7", "7.8", "7.9"]
#     attack-containers: [T1552.004]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.engine.swarm_control_plane

applies if input.swarm.state != "inactive"

deny contains {
	"message": "autolock is off: the disk of one manager gives the keys of the swarm",
	"path": "swarm.autolock",
	"value": false,
	"key": "autolock",
	"severity": "medium",
} if {
	input.swarm.manager
	not input.swarm.autolock
}

deny contains {
	"message": sprintf("certificates of nodes are valid for %v days", [input.swarm.certificate_days]),
	"path": "swarm.certificate_days",
	"value": input.swarm.certificate_days,
	"key": "certificates",
	"severity": "medium",
} if {
	input.swarm.manager
	input.swarm.certificate_days > 90
}

deny contains {
	"message": sprintf("the swarm's port is open on every address of a machine with a public one (%s)", [l.address]),
	"path": sprintf("listeners[%d]", [i]),
	"value": l.address,
	"key": concat(" ", ["listener", port(l.address)]),
	"severity": "medium",
} if {
	some i, l in input.listeners
	l.purpose == "swarm"
	input.public_address
	unspecified(l.address)
}

deny contains {
	"message": sprintf("the swarm has %d managers; three or five survive the loss of one", [input.swarm.managers]),
	"path": "swarm.managers",
	"value": input.swarm.managers,
	"key": "managers",
	"severity": "low",
} if {
	input.swarm.manager
	few
}

deny contains {
	"message": sprintf("%d managers run tasks beside the keys of the swarm", [input.swarm.active_managers]),
	"path": "swarm.active_managers",
	"value": input.swarm.active_managers,
	"key": "tasks",
	"severity": "low",
} if {
	input.swarm.manager
	input.swarm.active_managers > 0
	input.swarm.workers > 0
}

deny contains {
	"message": "the swarm is not used: it has one node and no service",
	"path": "swarm.state",
	"value": input.swarm.state,
	"key": "unused",
	"severity": "low",
} if {
	input.swarm.manager
	input.swarm.managers + input.swarm.workers == 1
	count(input.swarm.services) == 0
}

unspecified(address) if startswith(address, "0.0.0.0:")

unspecified(address) if startswith(address, "[::]:")

port(address) := last if {
	parts := split(address, ":")
	last := parts[count(parts) - 1]
}

few if input.swarm.managers < 3

few if input.swarm.managers % 2 == 0
