# METADATA
# scope: package
# title: Settings of OpenShift are weak
# description: |
#   The first administrator kubeadmin, whose password the installer printed, is still there; Secrets are not encrypted; images
#   may come from any registry or over plain http; operators work with overrides that nobody supports; or the audit profile is
#   None.
# related_resources:
#   - ref: https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/removing-kubeadmin
#     description: Removing the kubeadmin user
# schemas:
#   - input: schema["cluster"]
# custom:
#   id: PS-CP-038
#   severity: medium
#   needs:
#     - openshift.present
#     - openshift.kubeadmin
#     - openshift.encryption
#     - openshift.audit_profile
#     - openshift.allowed_registries
#     - openshift.insecure_registries
#     - openshift.unsupported_overrides
#   remediation: |
#     Set up an identity provider and delete the Secret kube-system/kubeadmin; set spec.encryption.type of the APIServer; list
#     allowedRegistries in the Image configuration and drop insecureRegistries; remove unsupportedConfigOverrides; choose an
#     audit profile.
#   references:
#     cis-openshift: ["1.2.29", "1.2.31", "5.5.1", "3.2.1"]
#     attack-containers: [T1078.001]
#     owasp-k8s: [K09, K04]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.cluster.openshift_settings

applies if input.openshift.present

deny contains {
	"message": "the first administrator kubeadmin is still there",
	"path": "openshift.kubeadmin",
	"value": "true",
	"key": "kubeadmin",
} if {
	applies
	input.openshift.kubeadmin == "true"
}

deny contains {
	"message": "Secrets are stored without encryption",
	"path": "openshift.encryption",
	"value": input.openshift.encryption,
	"key": "encryption",
} if {
	applies
	input.openshift.encryption in {"", "identity"}
}

deny contains {
	"message": "images may come from any registry",
	"path": "openshift.allowed_registries",
	"value": false,
	"key": "allowed-registries",
} if {
	applies
	not input.openshift.allowed_registries
}

deny contains {
	"message": "images may come from registries whose certificate nobody verifies",
	"path": "openshift.insecure_registries",
	"value": true,
	"key": "insecure-registries",
} if {
	applies
	input.openshift.insecure_registries
}

deny contains {
	"message": "operators work with overrides that are not supported",
	"path": "openshift.unsupported_overrides",
	"value": true,
	"key": "overrides",
} if {
	applies
	input.openshift.unsupported_overrides
}

deny contains {"message": "the audit profile is None", "path": "openshift.audit_profile", "value": "None", "key": "audit"} if {
	applies
	input.openshift.audit_profile == "None"
}

unknown contains "whether the Secret kube-system/kubeadmin exists was not seen" if {
	applies
	input.openshift.kubeadmin == "unknown"
}
