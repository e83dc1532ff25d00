# METADATA
# scope: package
# schemas:
#   - input: schema["engine"]
# custom:
#   part_of: PS-ENG-010
#   needs: [apparmor, selinux]
package postscan.engine.confinement_off

deny contains {
	"message": sprintf("the machine has %s, and the engine does not use it", [module.name]),
	"path": path,
	"value": "disabled",
	"key": path,
} if {
	not enabled # one of the two is enough
	some path, module in modules
	module.state == "disabled"
}

enabled if {
	some module in modules
	module.state == "enabled"
}

modules := {
	"apparmor": {"name": "AppArmor", "state": input.apparmor},
	"selinux": {"name": "SELinux", "state": input.selinux},
}
