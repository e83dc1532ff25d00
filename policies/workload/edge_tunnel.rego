# METADATA
# scope: package
# schemas:
#   - input: schema["workload"]
# custom:
#   part_of: PS-CP-040
#   needs: [containers, identity.rights, cluster.distribution]
package postscan.workload.edge_tunnel

applies if {
	input.cluster.distribution in {"k3s", "k0s", "microk8s", "kubeedge", "openyurt", "superedge"}
	count(tunnels) > 0
}

deny contains {
	"message": sprintf("%s, an agent of a tunnel to the edge, may %s %s in the whole cluster", [
		concat(", ", sort(tunnels)),
		concat(", ", right.verbs),
		right.resource,
	]),
	"path": "identity.rights",
	"value": right.resource,
	"key": right.resource,
} if {
	applies
	some right in input.identity.rights
	right.cluster_wide
	count(right.names) == 0
}

# tunnels are the containers whose image is a known agent.
tunnels contains c.name if {
	some c in input.containers
	parts := split(c.image.repository, "/")
	parts[count(parts) - 1] in agents
}

agents := {
	"cloudflared",
	"edge-tunnel-agent",
	"edgemesh-agent",
	"frpc",
	"inlets",
	"inlets-pro",
	"ngrok",
	"proxy-agent",
	"rancher-agent",
	"raven-agent",
	"tunnel",
	"yurt-tunnel-agent",
}
