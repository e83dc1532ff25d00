# METADATA
# scope: package
# schemas:
#   - input: schema["engine"]
# custom:
#   part_of: PS-ENG-010
#   needs: [apparmor, selinux]
package postscan.engine.confinement_off

deny contains {
	"message": sprintf("the machine has %s, and the engine does not use it", [names[path]]),
	"path": path,
	"value": "disabled",
	"key": path,
} if {
	some path, state in states
	state == "disabled"
	not "enabled" in {other | some other in states} # one of the two is enough
}

states := {"apparmor": input.apparmor, "selinux": input.selinux}

names := {"apparmor": "AppArmor", "selinux": "SELinux"}
