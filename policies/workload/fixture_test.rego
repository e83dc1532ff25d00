# METADATA
# description: |
#   One hardened workload, whole as the collector writes it, and ways to say what is different about another.
package postscan.workload.fixture_test

# pod is the hardened workload with some fields replaced; objects are merged.
pod(changes) := object.union(clean, changes)

# with_container is the hardened workload whose only container has some fields replaced.
with_container(changes) := pod({"containers": [object.union(app, changes)]})

# with_volume is the hardened workload with one more volume, mounted once.
with_volume(changes) := pod({"volumes": [scratch, object.union(volume, changes)]})

volume := object.union(scratch, {
	"name": "data",
	"path": "spec.template.spec.volumes[1]",
	"mounts": [object.union(scratch.mounts[0], {
		"mount_path": "/data",
		"path": "spec.template.spec.containers[0].volumeMounts[1]",
	})],
})

host_path(path) := with_volume({"type": "hostPath", "host_path": path})

params := {
	"now": "2026-03-01T12:00:00Z",
	"pss_version": "",
}

app := {
	"name": "app",
	"role": "container",
	"path": "spec.template.spec.containers[0]",
	"image": {
		"reference": "registry.example.com/team/web:1.2@sha256:9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d0e1b2c3d4e5f60718293a4b5c6d7e8f9",
		"registry": "registry.example.com",
		"repository": "team/web",
		"tag": "1.2",
		"digest": "sha256:9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d0e1b2c3d4e5f60718293a4b5c6d7e8f9",
	},
	"pull_policy": "IfNotPresent",
	"privileged": false,
	"allow_privilege_escalation": "false",
	"read_only_root_filesystem": true,
	"proc_mount": "unset",
	"capabilities_add": [],
	"capabilities_drop": [
		"ALL",
	],
	"security_context": {
		"run_as_non_root": "unset",
		"run_as_user": -1,
		"run_as_group": -1,
		"seccomp": "unset",
		"apparmor": "unset",
		"selinux": {
			"user": "",
			"role": "",
			"type": "",
			"level": "",
		},
		"host_process": "unset",
	},
	"effective": {
		"user": 10001,
		"group": 10001,
		"non_root": "true",
		"root": "no",
		"seccomp": "RuntimeDefault",
		"apparmor": "node",
		"selinux": "",
		"no_new_priv": true,
		"capabilities": [],
		"capability_base": "none",
		"capability_default": "assumed",
	},
	"resources": {
		"cpu_request": "container",
		"cpu_limit": "container",
		"memory_request": "container",
		"memory_limit": "container",
		"ephemeral_storage_limit": "container",
	},
	"ports": [
		{
			"name": "",
			"port": 8080,
			"host_port": 0,
			"protocol": "TCP",
			"path": "spec.template.spec.containers[0].ports[0]",
		},
	],
	"host_probes": [],
	"literal_secrets": [],
	"secret_env": [],
}

scratch := {
	"name": "tmp",
	"path": "spec.template.spec.volumes[0]",
	"type": "emptyDir",
	"host_path": "",
	"host_path_type": "",
	"through": "",
	"volume_mode": "",
	"driver": "",
	"image": {
		"reference": "",
		"registry": "",
		"repository": "",
		"tag": "",
		"digest": "",
	},
	"token_secret": false,
	"tokens": [],
	"mounts": [
		{
			"container": "app",
			"mount_path": "/tmp",
			"read_only": false,
			"recursive_read_only": "unset",
			"propagation": "None",
			"sub_path": "",
			"path": "spec.template.spec.containers[0].volumeMounts[0]",
		},
	],
	"devices": [],
}

clean := {
	"kind": "Deployment",
	"pod_path": "spec.template.spec",
	"meta_path": "spec.template.metadata",
	"live": false,
	"running": false,
	"drifted": false,
	"static": false,
	"component": "",
	"class": {
		"trust": "",
		"tenant": "",
		"sensitivity": "",
		"api_free": false,
	},
	"cluster": {
		"minor": 0,
		"distribution": "",
		"always_pull_images": "unknown",
		"deny_external_ips": "unknown",
	},
	"namespace": {
		"name": "shop",
		"declared": true,
		"system": false,
		"pod_security": {
			"enforce": "restricted",
			"enforce_label": "restricted",
			"enforce_version": "latest",
			"enforce_minor": 999,
			"audit": "privileged",
			"audit_label": "unset",
			"audit_version": "latest",
			"audit_minor": 999,
			"warn": "restricted",
			"warn_label": "unset",
			"warn_version": "latest",
			"warn_minor": 999,
			"invalid": [],
		},
	},
	"os": "unset",
	"host_pid": false,
	"host_ipc": false,
	"host_network": false,
	"host_users": "unset",
	"share_process_namespace": false,
	"security_context": {
		"run_as_non_root": "true",
		"run_as_user": 10001,
		"run_as_group": 10001,
		"seccomp": "RuntimeDefault",
		"apparmor": "unset",
		"selinux": {
			"user": "",
			"role": "",
			"type": "",
			"level": "",
		},
		"host_process": "unset",
	},
	"supplemental_groups": [],
	"fs_group": -1,
	"sysctls": [],
	"apparmor_annotations": [],
	"seccomp_annotations": [],
	"containers": [
		app,
	],
	"volumes": [
		scratch,
	],
	"identity": {
		"service_account": "web",
		"declared": true,
		"exists": "true",
		"automount": false,
		"automount_from": "pod",
		"bound": false,
		"grants": [],
		"rights": [],
		"cloud_identity": "",
	},
	"runtime_class": {
		"name": "",
		"exists": "true",
		"handler": "",
		"available": "true",
	},
	"placement": {
		"tolerates_control_plane": false,
		"tolerates_everything": false,
		"toleration_path": "",
		"node_name": false,
		"node_selector": false,
		"dedicated_toleration": false,
	},
	"nodes": {
		"kubelet_minor": 0,
		"runtimes": [],
		"provider": "",
		"user_namespaces": "unknown",
		"apparmor": "unknown",
		"selinux": "unknown",
		"seccomp_default": "unknown",
		"pid_limit": "unknown",
		"pull_verification": "unknown",
		"virtual_machine": "unknown",
		"verified_boot": "unknown",
		"pod_per_machine": "unknown",
		"metadata_guard": "unknown",
		"control_plane": false,
		"public": false,
		"reserved": "unknown",
		"other_classes": [],
	},
	"network": {
		"coverable": true,
		"policies": {
			"kubernetes": 1,
			"cilium": 0,
			"calico": 0,
			"admin": 0,
		},
		"ingress": {
			"isolated": true,
			"allows_all": false,
			"allows_outside": false,
			"partial": false,
		},
		"egress": {
			"isolated": true,
			"allows_all": false,
			"allows_outside": false,
			"partial": false,
		},
		"metadata": "blocked",
		"metadata_addresses": [
			{"address": "169.254.169.254", "reach": "blocked"},
			{"address": "fd00:ec2::254", "reach": "blocked"},
			{"address": "168.63.129.16", "reach": "blocked"},
		],
	},
	"exposures": [],
	"ingress_controller": {
		"name": "",
		"version": "",
		"snippets_allowed": "",
		"snippet_users": [],
		"path": "",
	},
}
