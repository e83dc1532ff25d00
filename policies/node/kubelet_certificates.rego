# METADATA
# scope: package
# title: Certificates of the kubelet are not verified or not renewed
# description: |
#   Without a client CA file the kubelet verifies no client certificate. Where it makes its own serving certificate, nobody can
#   verify the kubelet either, so logs and exec can be listened to. Where certificates are not renewed by themselves they end
#   in an outage, or are made to last for years. The configuration is read from the kubelet through the API with
#   --kubelet-config, or from the node's own files; without either it is not assessed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/tls/certificate-rotation/
#     description: Certificate rotation for the kubelet
# schemas:
#   - input: schema["node"]
# custom:
#   id: PS-CP-023
#   severities: [high, medium]
#   needs: [kubelet]
#   remediation: |
#     Set authentication.x509.clientCAFile, serverTLSBootstrap: true and rotateCertificates: true; leave the feature gate
#     RotateKubeletServerCertificate on, here and in the controller manager, and approve the kubelets' requests.
#   references:
#     nsa-cisa: [NET6]
#     cis-k8s: ["4.2.3", "4.2.9", "4.2.10", "4.2.11", "1.3.6"]
#     attack-containers: [T1557]
#     owasp-k8s: [K07]
#     cwe: ["295"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.node.kubelet_certificates

deny contains {
	"message": "the kubelet verifies no client certificates: it has no client CA file",
	"path": "kubelet.client_ca_file",
	"value": "",
	"key": "client-ca",
	"severity": "high",
} if {
	input.kubelet.client_ca_file == ""
}

deny contains {
	"message": "the kubelet makes its own serving certificate, which nobody can verify",
	"path": "kubelet.server_tls_bootstrap",
	"value": false,
	"key": "serving",
	"severity": "medium",
} if {
	not input.kubelet.server_tls_bootstrap
	not own_files
}

deny contains {
	"message": "the kubelet does not renew its client certificate",
	"path": "kubelet.rotate_certificates",
	"value": false,
	"key": "rotation",
	"severity": "medium",
} if {
	not input.kubelet.rotate_certificates
}

deny contains {
	"message": "the kubelet does not renew its serving certificate: the feature gate is off",
	"path": "kubelet.rotate_server_gate",
	"value": "false",
	"key": "gate",
	"severity": "medium",
} if {
	input.kubelet.rotate_server_gate == "false"
}

own_files if {
	input.kubelet.tls_cert_file != ""
	input.kubelet.tls_private_key_file != ""
}
