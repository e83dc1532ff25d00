# METADATA
# description: |
#   One hardened worker node, whole as the API and its own files tell it, and ways to say what is different about another.
package postscan.node.fixture_test

# node is the hardened node with some fields replaced; objects are merged.
node(changes) := object.union(clean, changes)

params := {"now": "2026-11-01T12:00:00Z"}

clean := {
	"cluster": {"minor": 37, "distribution": "kubeadm", "always_pull_images": "unknown", "deny_external_ips": "unknown"},
	"kubelet_minor": 37,
	"kubelet_patch": 2,
	"os": "linux",
	"os_image": "Flatcar Container Linux by Kinvolk 4230.2.1 (Oklo)",
	"kernel": "6.6.95-flatcar",
	"architecture": "amd64",
	"runtime": "containerd",
	"runtime_version": "2.1.5",
	"handlers": [],
	"control_plane": false,
	"tainted": false,
	"own_taint": false,
	"edge": false,
	"provider": "",
	"virtual": "unknown",
	"pod_per_machine": false,
	"public": false,
	"apparmor": "true",
	"ready": true,
	"single": false,
	"kubelet": kubelet,
	"kubelet_callers": [],
	"kubelet_flags": [],
	"k3s": [],
	"classes": [],
	"reboot_due": false,
	"reboot_due_days": -1,
	"metadata_guard": "unknown",
	"files": [],
	"certificates": [],
	"software": [],
	"settings": [],
	"disk_encrypted": "unknown",
	"secure_boot": "unknown",
	"tpm": "unknown",
}

kubelet := {
	"anonymous_auth": false,
	"authorization_mode": "Webhook",
	"read_only_port": 0,
	"client_ca_file": "/etc/kubernetes/pki/ca.crt",
	"server_tls_bootstrap": true,
	"tls_cert_file": "",
	"tls_private_key_file": "",
	"tls_min_version": "VersionTLS12",
	"tls_cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
	"rotate_certificates": true,
	"rotate_server_gate": "unset",
	"seccomp_default": true,
	"pod_pids_limit": 4096,
	"allowed_unsafe_sysctls": [],
	"protect_kernel_defaults": true,
	"iptables_util_chains": true,
	"streaming_idle_seconds": 14400,
	"event_record_qps": 50,
	"debugging_handlers": true,
	"debug_flags_handler": false,
	"profiling_handler": false,
	"system_log_handler": true,
	"system_log_query": false,
	"static_pod_url": "",
	"pull_verification": "NeverVerifyPreloadedImages",
	"fail_cgroup_v1": true,
}
