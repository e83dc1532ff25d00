# METADATA
# scope: package
# title: Credential in image config or history
# description: |
#   An environment variable, a label, the command, the entrypoint or a step of the build history holds a credential. The
#   configuration and history are plain text that everybody reads who may pull the image, and they stay in every registry and node
#   that ever held it. Build arguments (ARG) are written into the history of the steps that see them. Whoever has the credential
#   walks around the isolation of the container straight to what the credential opens. The value itself is never reported.
# related_resources:
#   - ref: https://docs.docker.com/build/building/secrets/
#     description: Build secrets, which leave no trace in the image
#   - ref: https://kubernetes.io/docs/concepts/configuration/secret/
#     description: Kubernetes Secrets, given to the container at run time
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-003
#   severity: high
#   needs: [config_secrets]
#   remediation: |
#     Revoke the credential and issue a new one: it must be taken for known. Then remove it from ENV, LABEL, ARG, CMD and RUN and
#     rebuild. What the build needs goes in with "RUN --mount=type=secret,id=token"; what the program needs is mounted or injected
#     when it runs.
#   references:
#     nist-800-190: ["4.1.4"]
#     nsa-cisa: [POD3]
#     cis-docker: ["4.10"]
#     attack-containers: [T1552.001]
#     owasp-k8s: [K03]
#     cwe: ["798"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.secret_in_config

deny contains {
	"message": sprintf("%s holds a credential: %s", [place(secret), kind(secret)]),
	"path": sprintf("config_secrets[%d]", [index]),
	"value": {"where": secret.where, "name": secret.name, "rule": secret.rule},
	"key": concat(" ", [secret.where, secret.name, secret.rule]),
} if {
	some index, secret in input.config_secrets
}

places := {
	"cmd": "the command",
	"entrypoint": "the entrypoint",
	"env": "the environment variable",
	"label": "the label",
}

# Steps are counted from 1, the oldest first, as a Dockerfile is read.
place(secret) := sprintf("step %d of the build history", [secret.index + 1]) if {
	secret.where == "history"
} else := trim_space(concat(" ", [object.get(places, secret.where, secret.where), secret.name]))

kind(secret) := secret.title if {
	secret.title != ""
} else := secret.rule
