# METADATA
# scope: package
# schemas:
#   - input: schema["engine"]
# custom:
#   part_of: PS-ENG-009
#   needs: [seccomp, cri, name]
package postscan.engine.seccomp_off_by_default

deny contains {
	"message": message,
	"path": "seccomp",
	"value": input.seccomp,
	"key": "default",
	"severity": severity,
} if {
	message := messages[input.seccomp]
}

messages := {
	"unconfined": "containers that ask for no seccomp profile get none",
	"unsupported": "the engine or the kernel has no seccomp",
}

# To containerd a pod that says nothing is the kubelet's matter too, whose seccompDefault gives one. CRI-O's switch is for all pods.
default severity := "high"

severity := "medium" if {
	input.cri.served
	input.name != "cri-o"
	input.seccomp == "unconfined"
}
