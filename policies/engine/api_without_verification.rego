# METADATA
# scope: package
# title: Engine API on TCP without client verification
# description: |
#   The engine answers on a TCP port that other machines reach, and asks nobody for a certificate. Who connects starts a
#   privileged container and has the machine. For containerd and CRI-O the server that streams exec and attach counts too.
#   Whether the port is open is read from configuration, command line and the sockets that the process holds.
# related_resources:
#   - ref: https://docs.docker.com/engine/daemon/remote-access/
#     description: Remote access to the Docker daemon
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-001
#   severity: critical
#   needs: [listeners]
#   remediation: |
#     Let the engine listen on its Unix socket alone and reach it by ssh (ssh://user@host), or set tlsverify with
#     tlscacert, tlscert and tlskey and give certificates to those who need them. Bind the streaming server to 127.0.0.1
#     or switch its TLS on.
#   references:
#     nist-800-190: ["4.4.3"]
#     nsa-cisa: [POD6]
#     cis-docker: ["2.7"]
#     attack-containers: [T1133, T1610]
#     owasp-k8s: [K06]
#     cwe: ["306"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.engine.api_without_verification

deny contains {
	"message": sprintf("the %s on %s is reachable from other machines and asks for no client certificate (%s)", [
		names[l.purpose],
		l.address, l.source,
	]),
	"path": sprintf("listeners[%d]", [i]),
	"value": l.address,
	"key": concat(" ", [l.purpose, l.address]),
} if {
	some i, l in input.listeners
	l.network == "tcp"
	l.purpose in {"api", "stream"}
	not l.loopback
	not verified(l)
}

names := {"api": "engine's API", "stream": "server that streams exec and attach"}

verified(l) if {
	l.tls
	l.client_verification
}

# What the kubelet redirects to needs no certificate of its client: the address is a secret of one use.
verified(l) if {
	l.purpose == "stream"
	l.tls
}
