# METADATA
# scope: package
# title: Insecure registry or no signature policy
# description: |
#   The engine fetches images without TLS or without verifying the registry's certificate, so that whoever stands between
#   replaces them; or the policy for signatures, which Podman and CRI-O obey, accepts anything. Registries on the machine
#   itself are left out. Docker and containerd have no such policy; there admission or the pipeline has to verify.
# related_resources:
#   - ref: https://docs.docker.com/reference/cli/dockerd/#insecure-registries
#     description: Insecure registries of dockerd
#   - ref: https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md
#     description: containers-policy.json
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-016
#   severity: medium
#   needs: [insecure_registries]
#   optional: [signature_policy]
#   remediation: |
#     Give the registry a certificate and add its authority to the engine (certs.d); remove insecure-registries,
#     insecure=true and skip_verify. In policy.json set the default to reject and name the registries with sigstoreSigned
#     or signedBy.
#   references:
#     nist-800-190: ["4.2.1", "4.1.5"]
#     cis-docker: ["2.5", "4.5"]
#     attack-containers: [T1557, T1525]
#     cwe: ["295"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.engine.insecure_registry

deny contains {
	"message": sprintf("the registry %s is not verified (%s)", [r.registry, r.source]),
	"path": sprintf("insecure_registries[%d]", [i]),
	"value": r.registry,
	"key": concat(" ", ["registry", r.registry]),
} if {
	some i, r in input.insecure_registries
	not r.loopback
}

deny contains {
	"message": sprintf("images need no signature: the default of %s is %s", [
		input.signature_policy.file, input.signature_policy.default,
	]),
	"path": "signature_policy.default",
	"value": input.signature_policy.default,
	"key": "signatures",
} if {
	input.signature_policy.default == "insecureAcceptAnything"
}
