# METADATA
# scope: package
# title: Image runs as root by default
# description: |
#   The image starts its process as root: it names no USER, or names one with uid 0. A container shares the kernel of its host, so
#   root in the container is root for every kernel interface that namespaces, capabilities and seccomp do not close. A process that
#   starts as root keeps every capability that the runtime grants, may rewrite the whole image at run time, and needs one flaw less
#   to reach the host. On Windows the same is true of ContainerAdministrator. A workload can set another user; the image is judged
#   by what happens when nobody does.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: Kubernetes Pod Security Standards, running as non-root
#   - ref: https://docs.docker.com/reference/dockerfile/#user
#     description: The USER instruction
#   - ref: https://learn.microsoft.com/en-us/virtualization/windowscontainers/manage-containers/container-security
#     description: Accounts of Windows containers
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-001
#   severity: medium
#   needs: [os, config.user, config.user_uid]
#   remediation: |
#     Create an account in the build and make a numeric USER other than 0 the last USER of the Dockerfile, for example
#     "RUN useradd --uid 10001 --no-create-home app" and "USER 10001:10001". Give it the files that it must write with
#     "COPY --chown=10001:10001". On Windows use "USER ContainerUser". Listen on a port above 1023.
#   references:
#     nist-800-190: ["4.1.2"]
#     nsa-cisa: [POD1]
#     cis-docker: ["4.1"]
#     attack-containers: [T1611]
#     owasp-k8s: [K01]
#     cwe: ["250"]
#     isolation: [W1]
#   since: "0.1.0"
package postscan.image.runs_as_root

applies if input.os in {"linux", "windows"}

# "user:group": only the user decides, "1000:0" is not root.
user := split(input.config.user, ":")[0]

deny contains {
	"message": "no USER is set, so the process starts as root",
	"path": "config.user",
	"value": input.config.user,
} if {
	input.os == "linux"
	user == ""
}

deny contains {
	"message": sprintf("USER %s is root (uid 0)", [input.config.user]),
	"path": "config.user",
	"value": input.config.user,
} if {
	input.os == "linux"
	user != ""
	is_root
}

deny contains {
	"message": sprintf("USER %s is the administrator of the container", [input.config.user]),
	"path": "config.user",
	"value": input.config.user,
} if {
	input.os == "windows"

	# The account may be written with its domain: "User Manager\ContainerAdministrator".
	regex.match(`(?i)^(.*\\)?ContainerAdministrator$`, input.config.user)
}

unknown contains reason if {
	input.os == "windows"
	input.config.user == ""
	reason := "the image names no USER; on Windows the runtime then chooses one, ContainerAdministrator where it has no other default"
}

is_root if user == "root"

# A runtime reads the number as a decimal: "00" and "+0" are 0 as well.
is_root if regex.match(`^[+-]?0+$`, user)

is_root if input.config.user_uid == 0
