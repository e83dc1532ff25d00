package postscan.image.package_hygiene_test

import data.postscan.image.fixture_test as fixture
import data.postscan.image.package_hygiene as policy

test_fails_for_update_alone if {
	denied := policy.deny with input as fixture.run("apt-get update")
	denied == {{
		"message": "a step runs apt-get update but installs nothing",
		"path": "history[0]",
		"value": "apt-get update",
		"key": "apt refresh alone",
	}}
}

test_fails_for_update_alone_in_every_family if {
	every command in [
		"apt update",
		"apt-get -qq update -y",
		"sudo apt-get update",
		"apk update",
		"yum makecache",
		"dnf -y makecache",
		"zypper --non-interactive refresh",
		"zypper ref",
		"apt-get update && make install",
	] {
		denied := policy.deny with input as fixture.run(command)
		[endswith(finding.key, " refresh alone") | some finding in denied] == [true]
	}
}

test_passes_for_update_with_install_in_the_same_step if {
	every command in [
		"apt-get update && apt-get install -y --no-install-recommends a && rm -rf /var/lib/apt/lists/*",
		"apt-get update; apt-get -y upgrade; rm -rf /var/lib/apt/lists/*",
		"apk update && apk add --no-cache a",
		"dnf makecache && dnf install -y a && dnf clean all",
		"zypper refresh && zypper install -y a && zypper clean --all",
		"set -eux; apt-get update; \\\n apt-get install -y --no-install-recommends a; rm -r /var/lib/apt/lists/*",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_passes_for_update_with_any_verb_that_uses_the_index if {
	steps := [["RUN", sprintf("%s %s && %s %s a", [tool, min(manager.refresh), tool, verb])] |
		some manager in policy.families
		some verb in manager.install
		tool := min(manager.tools)
	]
	denied := policy.deny with input as fixture.built(steps)
	{finding.path | some finding in denied; endswith(finding.key, "refresh alone")} == set()
}

test_fails_for_a_cache_left_behind_by_every_verb_that_fills_it if {
	steps := [["RUN", sprintf("%s -y %s a", [tool, verb])] |
		some manager in policy.families
		some verb in manager.fill
		some tool in manager.tools
	]
	denied := policy.deny with input as fixture.built(steps)
	{finding.path | some finding in denied; endswith(finding.key, "cache")} == {sprintf("history[%d]", [index]) |
		some index in numbers.range(0, count(steps) - 1)
	}
}

test_fails_for_update_and_install_in_two_steps if {
	denied := policy.deny with input as fixture.built([
		["RUN", "apt-get update"],
		["RUN", "apt-get install -y --no-install-recommends a && rm -rf /var/lib/apt/lists/*"],
	])
	{finding.path | some finding in denied} == {"history[0]"}
}

test_fails_for_moving_the_whole_distribution if {
	every command in [
		"apt-get update && apt-get dist-upgrade -y && rm -rf /var/lib/apt/lists/*",
		"apt update && apt -y full-upgrade && rm -rf /var/lib/apt/lists/*",
		"zypper dup -y && zypper clean",
		"dnf distro-sync -y && dnf clean all",
	] {
		denied := policy.deny with input as fixture.run(command)
		[startswith(finding.message, "a step moves the whole distribution") | some finding in denied] == [true]
	}
}

test_fails_for_a_cache_left_behind if {
	every command in [
		"apt-get update && apt-get install -y --no-install-recommends a",
		"apt-get update && apt-get install -y --no-install-recommends a && apt-get clean",
		"apk add a",
		"apk --update add a",
		"yum install -y a",
		"microdnf install a",
		"dnf -y update",
		"zypper in -y a",
	] {
		denied := policy.deny with input as fixture.run(command)
		[endswith(finding.key, " cache") | some finding in denied] == [true]
	}
}

test_passes_for_a_cache_that_is_cleaned if {
	every command in [
		"apk add --no-cache a",
		"apk --no-cache add a",
		"apk add --no-cache --virtual .deps a && make && apk del .deps",
		"apk add a && rm -rf /var/cache/apk/*",
		"yum install -y a && yum clean all",
		"yum install -y a && yum -y clean all",
		"dnf install -y a && rm -rf /var/cache/dnf",
		"microdnf install a && microdnf clean all",
		"apt-get install -y --no-install-recommends a && rm -rf /var/lib/{apt,dpkg,cache}/*",
		"apt-get install -y --no-install-recommends a && apt-get dist-clean",
		"zypper install -y a && rm -rf /var/cache/zypp/*",
	] {
		denied := policy.deny with input as fixture.run(command)
		count(denied) == 0
	}
}

test_fails_where_only_one_apk_add_keeps_no_cache if {
	denied := policy.deny with input as fixture.run("apk add --no-cache a && apk add b")
	{finding.value | some finding in denied} == {"apk add b"}
}

test_fails_for_recommended_packages if {
	denied := policy.deny with input as fixture.run("apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*")
	{finding.key | some finding in denied} == {"apt recommends"}
}

test_passes_where_recommended_packages_are_off if {
	cleaned := "rm -rf /var/lib/apt/lists/*"
	every commands in [
		["apt-get install -y --no-install-recommends a", cleaned],
		["apt-get install --no-install-recommends --no-install-suggests -y a", cleaned],
		["apt-get -o APT::Install-Recommends=false install a", cleaned],
		["echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/x", "apt-get install -y a", cleaned],
	] {
		denied := policy.deny with input as fixture.run(concat(" && ", commands))
		count(denied) == 0
	}
}

test_passes_where_an_earlier_step_switched_recommended_packages_off if {
	denied := policy.deny with input as fixture.built([
		["RUN", "echo 'APT::Install-Recommends \"false\";' > /etc/apt/apt.conf.d/99x"],
		["RUN", "apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*"],
	])
	count(denied) == 0
}

test_fails_for_everything_at_once if {
	denied := policy.deny with input as fixture.built([["RUN", "apt-get update"], ["RUN", "apt-get install -y curl"]])
	{finding.key | some finding in denied} == {"apt refresh alone", "apt cache", "apt recommends"}
}

test_passes_for_steps_that_only_name_the_tools if {
	every pair in [
		["RUN", "rm -rf /etc/apt /var/cache/apk"],
		["RUN", "apt-get purge -y a && apt-get autoremove -y"],
		["RUN", "apt-get clean"],
		["RUN", "apt-mark manual a"],
		["RUN", "apk del a"],
		["RUN", "make update"],
		["COPY", "apt-get update"],
		["CMD", "apt-get install"],
	] {
		denied := policy.deny with input as fixture.built([pair])
		count(denied) == 0
	}
}

test_unknown_without_history if {
	count(policy.unknown) == 1 with input as fixture.image({"history": [fixture.blank_step]})
}

test_passes_for_a_clean_image if {
	count(policy.deny) == 0 with input as fixture.clean
	count(policy.unknown) == 0 with input as fixture.clean
}
