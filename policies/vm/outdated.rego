# METADATA
# scope: package
# title: Guest kernel or OS outdated
# description: |
#   The operating system gets no fixes any more, or the fixes are not in force: a newer kernel is installed than the one that
#   runs, the distribution asks for a restart, the running kernel has flaws that a newer package mends, or no package has
#   changed for long (high where nothing installs updates by itself, low where something should). All containers of a machine
#   stand on its one kernel, so a flaw in it is a way out of every one of them.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, host component vulnerabilities
#   - ref: https://endoflife.date/
#     description: Support dates of distributions
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-002
#   severities: [high, low]
#   needs:
#     - distribution.family
#     - distribution.version
#     - distribution.name
#     - distribution.end_of_life
#     - kernel.release
#     - kernel.version
#     - kernel.newest
#     - kernel.installed_version
#     - kernel.outdated
#     - kernel.reboot_required
#     - kernel.vulnerable
#     - updates
#   params:
#     - name: max_update_age_days
#       type: integer
#       default: 30
#       description: "A machine must have changed a package within this many days, also where something updates it by itself."
#   remediation: |
#     Install the updates and start the machine anew, or live-patch the kernel; on fleets replace machines by a newer image
#     instead. Switch on unattended-upgrades, dnf-automatic or what the distribution has. Move off a release before its support
#     ends, or buy the vendor's extended support.
#   references:
#     nist-800-125: ["4.2"]
#     nist-800-190: ["4.5.3"]
#     aws-fsbp: [SSM.2]
#     attack-containers: [T1068]
#     cwe: ["1395"]
#     isolation: [W2, W6]
#   since: "0.1.0"
package postscan.vm.outdated

deny contains {
	"message": sprintf("%s is out of its vendor's support", [release]),
	"path": "distribution",
	"value": {"family": input.distribution.family, "version": input.distribution.version},
	"key": "end of life",
	"severity": "high",
} if {
	input.distribution.end_of_life
}

deny contains {
	"message": sprintf("the kernel %s runs, but %s is installed: the newer one starts with the next boot", [
		input.kernel.release,
		input.kernel.newest,
	]),
	"path": "kernel.outdated",
	"value": {"running": input.kernel.release, "newest": input.kernel.newest},
	"key": "kernel not booted",
	"severity": "high",
} if {
	input.kernel.outdated
	input.kernel.newest != input.kernel.release
}

deny contains {
	"message": sprintf("the kernel %s runs as of package %s, but %s is installed under the same name", [
		input.kernel.release,
		input.kernel.version,
		input.kernel.installed_version,
	]),
	"path": "kernel.outdated",
	"value": {"running": input.kernel.version, "installed": input.kernel.installed_version},
	"key": "kernel not booted",
	"severity": "high",
} if {
	input.kernel.outdated
	input.kernel.newest == input.kernel.release
}

deny contains {
	"message": "the distribution asks for a restart: updates are installed that are not in force",
	"path": "kernel.reboot_required",
	"value": true,
	"key": "reboot required",
	"severity": "high",
} if {
	input.kernel.reboot_required
	not input.kernel.outdated
}

deny contains {
	"message": sprintf("the running kernel %s has %d known vulnerabilities that a newer package mends", [
		input.kernel.release,
		count(input.kernel.vulnerable),
	]),
	"path": "kernel.vulnerable",
	"value": count(input.kernel.vulnerable),
	"key": "kernel vulnerable",
	"severity": "high",
} if {
	count(input.kernel.vulnerable) > 0
}

deny contains {
	"message": sprintf("no package has changed for %d days, %s", [input.updates.last_days, agent[0]]),
	"path": "updates.last_days",
	"value": input.updates.last_days,
	"key": "no updates",
	"severity": agent[1],
} if {
	input.updates.last_days > data.params.max_update_age_days
}

agent := ["and nothing installs updates by itself", "high"] if {
	input.updates.agent == ""
} else := [sprintf("although %s should install updates", [input.updates.agent]), "low"]

release := input.distribution.name if {
	input.distribution.name != ""
} else := concat(" ", [input.distribution.family, input.distribution.version])
