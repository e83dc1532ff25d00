# METADATA
# scope: package
# title: CRI runtime configuration weakens all pods
# description: |
#   The configuration of containerd or CRI-O takes walls from every pod of the node, without a word in any pod's own
#   specification: more capabilities by default, inheritable ones, host devices or user namespaces by annotation in a
#   handler without a sandbox, devices that any pod may ask for, a folder of hooks that others write to. As information:
#   privileged pods in a sandbox still get the devices of the host; every pod may bind low ports or ping.
# related_resources:
#   - ref: https://github.com/containerd/containerd/blob/main/docs/cri/config.md
#     description: "containerd: configuration of CRI"
#   - ref: https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md
#     description: crio.conf
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-019
#   severities: [medium, info]
#   needs: [cri, files]
#   optional: [name, version]
#   remediation: |
#     Go back to the vendor's defaults: remove default_capabilities, add_inheritable_capabilities, allowed_devices and
#     allowed_annotations that nobody needs, or move the annotations to a handler of their own that only trusted pods may
#     choose. Set privileged_without_host_devices = true for sandboxes. Let root alone write to the folder of hooks.
#   references:
#     nist-800-190: ["4.4.3"]
#     attack-containers: [T1611]
#     owasp-k8s: [K07]
#     isolation: [W1, W5]
#   since: "0.1.0"
package postscan.engine.cri_configuration

import data.postscan.lib.host_paths

applies if input.cri.served

deny contains {
	"message": sprintf("every container gets the capability %s, which the engine's makers do not give", [name]),
	"path": "cri.added_capabilities",
	"value": name,
	"key": concat(" ", ["capability", name]),
	"severity": "medium",
} if {
	some name in input.cri.added_capabilities
}

deny contains {
	"message": "containers get their capabilities as inheritable ones too, so that programs of other users keep them",
	"path": "cri.inheritable_capabilities",
	"value": true,
	"key": "inheritable",
	"severity": "medium",
} if {
	input.cri.inheritable_capabilities
}

deny contains {
	"message": sprintf("a pod changes its isolation in the handler %s by the annotation %s", [r.name, annotation]),
	"path": sprintf("cri.runtimes[%d].allowed_annotations", [i]),
	"value": annotation,
	"key": concat(" ", ["annotation", r.name, annotation]),
	"severity": "medium",
} if {
	some i, r in input.cri.runtimes
	not r.sandboxed
	some annotation in r.allowed_annotations
	risky(annotation)
}

deny contains {
	"message": sprintf("every pod may ask for the device %s of the machine", [device]),
	"path": "cri.allowed_devices",
	"value": device,
	"key": concat(" ", ["device", device]),
	"severity": "medium",
} if {
	some device in input.cri.allowed_devices
	host_paths.is_device(device)
	not device in {"/dev/fuse", "/dev/net/tun"}
}

deny contains {
	"message": sprintf("%s, from where the engine runs programs as root, may be changed by others (mode %s)", [f.path, f.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": f.mode,
	"key": concat(" ", ["hooks", f.path]),
	"severity": "medium",
} if {
	some i, f in input.files
	f.role == "hooks"
	writable(f)
}

deny contains {
	"message": sprintf("privileged pods in the sandbox %s get every device of the machine", [r.name]),
	"path": sprintf("cri.runtimes[%d].host_devices", [i]),
	"value": true,
	"key": concat(" ", ["devices", r.name]),
	"severity": "info",
} if {
	some i, r in input.cri.runtimes
	r.sandboxed
	r.host_devices
}

deny contains {
	"message": "every pod may bind ports below 1024",
	"path": "cri.unprivileged_ports",
	"value": true,
	"key": "ports",
	"severity": "info",
} if {
	input.cri.unprivileged_ports
	not default_since_2
}

deny contains {
	"message": "every pod may send echo requests",
	"path": "cri.unprivileged_icmp",
	"value": true,
	"key": "icmp",
	"severity": "info",
} if {
	input.cri.unprivileged_icmp
	not default_since_2
}

risky(annotation) if annotation in {
	"*", "io.kubernetes.cri-o.Devices", "io.kubernetes.cri-o.userns-mode", "io.kubernetes.cri-o.UnifiedCgroup",
}

risky(annotation) if endswith(annotation, "/*")

risky(annotation) if contains(annotation, "devices.crio.io")

writable(f) if f.other_write

writable(f) if not f.owner_root

writable(f) if {
	f.group_write
	not f.group_root
}

# containerd 2 allows both by default.
default_since_2 if {
	input.name == "containerd"
	startswith(input.version, "2.")
}
