# METADATA
# scope: package
# title: Metadata or bootstrap data readable by ordinary users
# description: |
#   The cloud's metadata service answers without a session token (high) or to accounts other than root (medium), or files that
#   cloud-init keeps hold a credential (high). Every process of the machine, containers included, can then fetch what the cloud
#   gives the machine to identify itself, and use the cloud in its name. A request that a web application can be talked into is
#   enough, where no token is asked for.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
#     description: Session tokens of the EC2 metadata service
#   - ref: https://docs.cloud-init.io/en/latest/explanation/instancedata.html
#     description: What cloud-init keeps
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-008
#   severities: [high, medium]
#   needs: [metadata.provider, metadata.tokenless, metadata.unprivileged, bootstrap]
#   remediation: |
#     Require session tokens (IMDSv2) with a hop limit of 1, and let a firewall rule on the machine give the metadata service to
#     root only. Put no credential into user data: let the machine fetch it by its own identity. Change a credential that has
#     been there, and remove the file.
#   references:
#     nsa-cisa: [NET8]
#     aws-fsbp: [EC2.8]
#     cis-aws: ["6.7"]
#     attack-containers: [T1552.005]
#     owasp-k8s: [K08]
#     cwe: ["522"]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.vm.exposed_metadata

deny contains {
	"message": "the metadata service answers without a session token (IMDSv1)",
	"path": "metadata.tokenless",
	"value": true,
	"key": "tokenless",
	"severity": "high",
} if {
	input.metadata.provider == "aws"
	input.metadata.tokenless
}

deny contains {
	"message": "the metadata service answers to accounts other than root: every process here can ask it",
	"path": "metadata.unprivileged",
	"value": "yes",
	"key": "ordinary accounts",
	"severity": "medium",
} if {
	input.metadata.unprivileged == "yes"
}

deny contains {
	"message": sprintf("%s holds a credential (%s) and is readable by %s", [file.path, concat(", ", file.secrets), readers[file.readable]]),
	"path": sprintf("bootstrap[%d]", [index]),
	"value": {"mode": file.mode, "rules": file.secrets},
	"key": file.path,
	"severity": "high",
} if {
	some index, file in input.bootstrap
	count(file.secrets) > 0
}

readers := {true: "every account", false: "root, and by whoever gets the user data from the cloud"}
