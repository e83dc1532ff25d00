# METADATA
# scope: package
# title: "Swarm: overlay data in clear or secrets in env"
# description: |
#   An overlay network of the swarm carries what containers send between machines in clear, or a service has a credential
#   in its environment or command, or a config holds one: everybody who may inspect the service reads it. Swarm's own
#   secrets stay encrypted and are seen by the tasks alone.
# related_resources:
#   - ref: https://docs.docker.com/engine/network/drivers/overlay/
#     description: Overlay networks
#   - ref: https://docs.docker.com/engine/swarm/secrets/
#     description: Secrets of a swarm
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-021
#   severity: medium
#   needs: [swarm, networks]
#   remediation: |
#     Create the network anew with --opt encrypted (ingress too: docker network rm ingress, then create it with --ingress
#     and --opt encrypted). Move credentials to docker secret create, mount them into the service, and change those that
#     were readable.
#   references:
#     nist-800-190: ["4.3.3", "4.1.4"]
#     cis-docker: ["7.3", "7.4"]
#     attack-containers: [T1040, T1552.001]
#     cwe: ["319"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.engine.swarm_clear_data

applies if input.swarm.state != "inactive"

deny contains {
	"message": sprintf("the overlay network %s carries data between machines in clear", [n.name]),
	"path": sprintf("networks[%d].encrypted", [i]),
	"value": false,
	"key": concat(" ", ["network", n.name]),
} if {
	some i, n in input.networks
	n.driver == "overlay"
	not n.encrypted
}

deny contains {
	"message": sprintf("the service %s has a credential in its %s %s (%s)", [
		s.name, secret.where, secret.name, secret.title,
	]),
	"path": sprintf("swarm.services[%d].literal_secrets[%d]", [i, j]),
	"value": secret.rule,
	"key": concat(" ", ["service", s.name, secret.where, secret.name, secret.rule]),
} if {
	some i, s in input.swarm.services
	some j, secret in s.literal_secrets
}

deny contains {
	"message": sprintf("the config %s holds a credential (%s)", [c.name, secret.title]),
	"path": sprintf("swarm.configs[%d].literal_secrets[%d]", [i, j]),
	"value": secret.rule,
	"key": concat(" ", ["config", c.name, secret.rule]),
} if {
	some i, c in input.swarm.configs
	some j, secret in c.literal_secrets
}
