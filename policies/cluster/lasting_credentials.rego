# METADATA
# scope: package
# title: Credentials that do not expire
# description: |
#   A join token without an end or of more than a day lets machines in long after the one that it was made for. A client
#   certificate of a user cannot be taken back before it ends. A legacy token Secret that something beside pods uses, a static
#   token or a password in the kubeconfig of this very scan never end. Requests for certificates are kept for an hour only, so
#   older ones are not seen; the kubeconfigs of others are not seen either.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
#     description: Bootstrap tokens
#   - ref: https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
#     description: Service account token Secrets
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-041
#   severity: medium
#   needs: [bootstrap_tokens, certificates, token_secrets, credential.kind, credential.expires]
#   remediation: |
#     Give join tokens an hour (kubeadm token create --ttl 1h) and delete old ones. Let people in by OpenID Connect. Delete
#     legacy token Secrets and use kubectl create token.
#   references:
#     nsa-cisa: [AUTH1]
#     cis-k8s: ["3.1.1", "3.1.2", "3.1.3"]
#     attack-containers: [T1078, T1528]
#     owasp-k8s: [K09]
#     cwe: ["613"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.lasting_credentials

deny contains {
	"message": sprintf("the join token %s does not end", [token.name]),
	"path": sprintf("bootstrap_tokens[%d]", [i]),
	"value": "no expiration",
	"key": concat("/", ["token", token.name]),
} if {
	some i, token in input.bootstrap_tokens
	not token.expires
}

deny contains {
	"message": sprintf("the join token %s is good for %d hours", [token.name, hours]),
	"path": sprintf("bootstrap_tokens[%d]", [i]),
	"value": hours,
	"key": concat("/", ["token", token.name]),
} if {
	some i, token in input.bootstrap_tokens
	token.expires
	token.hours_left > 0
	hours := max([token.life_hours, token.hours_left])
	hours > 24
}

deny contains {
	"message": sprintf("the client certificate of %s cannot be taken back", [certificate.user]),
	"path": sprintf("certificates[%d]", [i]),
	"value": certificate.user,
	"key": concat("/", ["certificate", certificate.user]),
} if {
	some i, certificate in input.certificates
	certificate.issued
	certificate.signer == "kubernetes.io/kube-apiserver-client"
}

deny contains {
	"message": sprintf("something beside pods uses the legacy token of %s/%s", [secret.namespace, secret.service_account]),
	"path": sprintf("token_secrets[%d]", [i]),
	"value": sprintf("last used %d days ago", [secret.last_used_days]),
	"key": concat("/", ["secret", secret.namespace, secret.service_account]),
} if {
	some i, secret in input.token_secrets
	not secret.mounted
	secret.last_used_days >= 0
	secret.last_used_days <= 90
}

deny contains {
	"message": sprintf("the kubeconfig of this scan holds a %s that does not end", [what]),
	"path": "credential.kind",
	"value": input.credential.kind,
	"key": "kubeconfig",
} if {
	some what in static
}

static contains "token" if {
	input.credential.kind == "token"
	input.credential.expires == "false"
}

static contains "password" if input.credential.kind == "password"
