# METADATA
# scope: package
# title: Package-manager hygiene
# description: |
#   A step of the build uses the package manager of the distribution in a way that makes the image larger or older than it looks:
#   it refreshes the package index without installing anything (a cached layer then keeps the old index), moves the whole
#   distribution to other versions (dist-upgrade), leaves index and cache in the layer, or installs recommended packages that
#   nobody asked for. Each of these is more content to attack or less content that is fixed. The history is what is judged; it does
#   not show cache mounts of BuildKit.
# related_resources:
#   - ref: https://docs.docker.com/build/building/best-practices/#apt-get
#     description: Docker on apt-get in a Dockerfile
#   - ref: https://docs.docker.com/build/building/best-practices/#leverage-build-cache
#     description: How a cached layer goes stale
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-021
#   severity: info
#   needs: [history]
#   remediation: |
#     Refresh, install and clean in one RUN. Debian: "apt-get update && apt-get install -y --no-install-recommends PACKAGE && rm -rf
#     /var/lib/apt/lists/*". Alpine: "apk add --no-cache PACKAGE". Fedora and Red Hat: "dnf install -y PACKAGE && dnf clean all".
#     SUSE: "zypper install -y PACKAGE && zypper clean --all". Instead of dist-upgrade, rebuild on a newer base image.
#   references:
#     cis-docker: ["4.7", "4.3"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.package_hygiene

import data.postscan.lib.history
import data.postscan.lib.shell

# What each family of package managers is called and how its verbs are called: tools, and the
# verbs that refresh the index, install, and move the whole distribution; and the texts that
# show in a step that index and cache were cleaned.
families := {
	"apt": {
		"tools": {"apt", "apt-get", "aptitude"},
		"refresh": {"update"},
		"install": {
			"build-dep",
			"dist-upgrade",
			"download",
			"dselect-upgrade",
			"full-upgrade",
			"install",
			"reinstall",
			"safe-upgrade",
			"satisfy",
			"source",
			"upgrade",
		},
		"fill": {"build-dep", "install", "reinstall", "satisfy"},
		"move": {"dist-upgrade", "full-upgrade"},
		"clean": {"/var/lib/apt", "/var/lib/{apt", "dist-clean", "distclean"},
	},
	"apk": {
		"tools": {"apk"},
		"refresh": {"update"},
		"install": {"add", "fetch", "fix", "upgrade"},
		"fill": {"add"},
		"move": set(),
		"clean": {"--no-cache", "/var/cache/apk", "/etc/apk/cache", "cache clean"},
	},
	"dnf": {
		"tools": {"dnf", "microdnf", "tdnf", "yum"},
		"refresh": {"makecache"},
		"install": {
			"builddep",
			"distro-sync",
			"download",
			"group",
			"groupinstall",
			"install",
			"localinstall",
			"module",
			"reinstall",
			"update",
			"upgrade",
		},
		"fill": {"groupinstall", "install", "localinstall", "reinstall", "update", "upgrade"},
		"move": {"distro-sync"},
		"clean": {"clean all", "/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/tdnf"},
	},
	"zypper": {
		"tools": {"zypper"},
		"refresh": {"ref", "refresh"},
		"install": {"dist-upgrade", "dup", "in", "install", "patch", "source-install", "up", "update"},
		"fill": {"in", "install", "patch", "up", "update"},
		"move": {"dist-upgrade", "dup"},
		"clean": {"zypper clean", "zypper cc", "/var/cache/zypp"},
	},
}

# calls holds, for each RUN step and family, the commands that call a tool of the family.
calls[[index, family]] contains {"text": command, "tool": tool, "words": words} if {
	some index, step in input.history
	step.instruction == "RUN"
	some family in mentioned(step.arguments)
	some command in shell.commands(replace(step.arguments, "/usr/bin/", ""))
	words := shell.word_set(command)
	tool := min(words & families[family].tools)
}

# mentioned spares the long look at steps that name no package manager.
mentioned(text) := {family |
	some family, manager in families
	some tool in manager.tools
	contains(text, tool)
}

deny contains finding(index, family, command, message, "refresh alone") if {
	some [index, family], commands in calls
	some command in commands
	some verb in (command.words & families[family].refresh)
	every other in commands {
		count(other.words & families[family].install) == 0
	}
	message := sprintf("a step runs %s %s but installs nothing", [command.tool, verb])
}

deny contains finding(index, family, command, message, verb) if {
	some [index, family], commands in calls
	some command in commands
	some verb in (command.words & families[family].move)
	message := sprintf("a step moves the whole distribution to other versions with %s %s", [command.tool, verb])
}

deny contains finding(index, family, command, message, "cache") if {
	some [index, family], commands in calls
	some command in commands
	count(command.words & families[family].fill) > 0
	not cleaned(index, family, command)
	message := sprintf("a step installs with %s and leaves its index or cache in the layer", [command.tool])
}

deny contains finding(index, "apt", command, "a step installs what apt recommends, not only what is asked for", "recommends") if {
	some [index, "apt"], commands in calls
	some command in commands
	count(command.words & {"install", "build-dep", "satisfy"}) > 0
	not "--no-install-recommends" in command.words
	not recommends_off(index)
}

unknown contains history.nothing_told if history.tells_nothing(input.history)

cleaned(index, family, _) if {
	some mark in families[family].clean
	mark != "--no-cache"
	contains(input.history[index].arguments, mark)
}

cleaned(_, "apk", command) if "--no-cache" in command.words

# The step itself or one before it may have written the setting into /etc/apt.
recommends_off(index) if {
	some step in array.slice(input.history, 0, index + 1)
	regex.match(`(?i)Install-Recommends["'\s=]*(?:false|0|no|off)`, step.arguments)
}

finding(index, family, command, message, key) := {
	"message": message,
	"path": sprintf("history[%d]", [index]),
	"value": shell.excerpt(command.text),
	"key": concat(" ", [family, key]),
}
