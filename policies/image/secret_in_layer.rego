# METADATA
# scope: package
# title: Credential file in a layer
# description: |
#   A file in a layer holds a credential: a private key, a kubeconfig, cloud or registry credentials, a token of a package
#   registry, a keystore. A file that a later layer deletes is still in the lower layer, and everybody who may pull the image can
#   read it there. A credential carries its holder out of the container without any flaw in the isolation. The value itself is
#   never reported.
# related_resources:
#   - ref: https://docs.docker.com/build/building/secrets/
#     description: Build secrets, which leave no trace in the image
#   - ref: https://docs.docker.com/build/concepts/context/#dockerignore-files
#     description: Keeping files out of the build context
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-004
#   severity: high
#   needs: [secrets]
#   remediation: |
#     Revoke the credential and issue a new one: it must be taken for known. Then rebuild so that no layer ever holds the file: name
#     it in .dockerignore, use "RUN --mount=type=secret" for what the build needs, and copy only the result from an earlier stage.
#     "RUN rm" in a later step does not remove it. Delete the old image from the registry.
#   references:
#     nist-800-190: ["4.1.4"]
#     cis-docker: ["4.10"]
#     attack-containers: [T1552.001, T1552.004]
#     owasp-k8s: [K03]
#     cwe: ["312"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.secret_in_layer

deny contains {
	"message": sprintf("%s holds a credential: %s%s", [secret.path, kind(secret), fate(secret)]),
	"path": sprintf("secrets[%d]", [index]),
	"value": {"path": secret.path, "rule": secret.rule, "deleted": secret.deleted},
	"key": concat(" ", [secret.path, secret.rule]),
} if {
	some index, secret in input.secrets
}

kind(secret) := secret.title if {
	secret.title != ""
} else := secret.rule

fate(secret) := " (a later layer removes the file, but this layer still has it)" if {
	secret.deleted
} else := ""
