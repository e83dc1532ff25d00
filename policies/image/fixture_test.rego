# METADATA
# description: |
#   One clean image, and ways to say what is different about another. It is small but whole: every
#   field of the facts is there, so a rule that reads one sees what it would see in a scan.
package postscan.image.fixture_test

# image is the clean image with some fields replaced; objects are merged.
image(changes) := object.union(clean, changes)

config(changes) := image({"config": changes})

# built is the clean image with this build history: pairs of instruction and arguments.
built(steps) := image({"history": [step(pair) | some pair in steps]})

run(command) := built([["RUN", command]])

step(pair) := {"instruction": pair[0], "arguments": pair[1], "comment": "buildkit.dockerfile.v0", "empty": false, "layer": 0}

params := {
	"now": "2026-03-01T12:00:00Z",
	"allowed_privileged_files": ["/usr/bin/passwd", "/usr/bin/ping", "/usr/bin/su"],
	"attack_tool_kinds": ["compiler", "package-manager", "debugger", "scanner", "container-client"],
	"epss_threshold": 0.5,
	"max_image_age_days": 90,
	"allowed_registries": ["registry.example.com"],
	"require_healthcheck": true,
}

# vulnerability is one of a Debian package, with some fields replaced.
vulnerability(changes) := object.union(
	{
		"id": "CVE-2026-0001",
		"aliases": [],
		"package": "openssl",
		"package_type": "debian",
		"version": "3.0.11-1",
		"fixed_version": "3.0.13-1",
		"status": "fixed",
		"severity": "high",
		"severity_source": "debian",
		"score": 7.5,
		"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
		"network_vector": true,
		"kev": false,
		"epss": 0.01,
		"title": "",
		"references": [],
		"primary_url": "",
		"data_source": "debian",
		"published": "",
		"purl": "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12.4",
		"path": "var/lib/dpkg/status",
		"layer": 0,
	},
	changes,
)

clean := {
	"registry": "registry.example.com",
	"repository": "team/app",
	"source": "registry",
	"os": "linux",
	"architecture": "amd64",
	"variant": "",
	"created": "2026-02-20T08:00:00Z",
	"config": {
		"user": "10001:10001",
		"user_uid": 10001,
		"env_names": ["PATH"],
		"path": ["/usr/local/bin", "/usr/bin", "/bin"],
		"label_names": [],
		"entrypoint": ["/app/server"],
		"cmd": [],
		"working_dir": "/app",
		"exposed_ports": [{"number": 8080, "protocol": "tcp"}],
		"volumes": ["/data"],
		"healthcheck": "defined",
	},
	"base": {"name": "docker.io/library/debian:12", "tag": "12", "digest": "sha256:aa"},
	"layers": [{"digest": "sha256:bb", "diff_id": "sha256:cc", "size": 10, "media_type": "", "step": 0}],
	"history": [step(["RUN", concat(" && ", [
		"apt-get update",
		"apt-get install -y --no-install-recommends ca-certificates",
		"rm -rf /var/lib/apt/lists/*",
	])])],
	"distribution": {
		"family": "debian",
		"version": "12.4",
		"name": "Debian GNU/Linux 12 (bookworm)",
		"end_of_life": false,
		"repository_release": "",
		"supplier": "",
		"extended": false,
	},
	"packages": [],
	"vulnerabilities": [],
	"secrets": [],
	"config_secrets": [],
	"privileged_files": [],
	"writable_files": [],
	"users": [
		{
			"name": "root",
			"uid": 0,
			"gid": 0,
			"home": "/root",
			"shell": "/bin/bash",
			"login_shell": true,
			"password": "locked",
		},
		{
			"name": "app",
			"uid": 10001,
			"gid": 10001,
			"home": "/app",
			"shell": "/usr/sbin/nologin",
			"login_shell": false,
			"password": "locked",
		},
	],
	"groups": [{"name": "root", "gid": 0}, {"name": "app", "gid": 10001}],
	"sudo_rules": [],
	"tools": [],
	"ssh_starters": [],
	"malware": [],
	"signature": {
		"present": true,
		"verified": true,
		"kinds": ["cosign"],
		"sbom": true,
		"provenance": true,
		"problem": "",
	},
}

# A step that says nothing, as squashing leaves one.
blank_step := {"instruction": "", "arguments": "", "comment": "", "empty": false, "layer": 0}
