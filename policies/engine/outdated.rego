# METADATA
# scope: package
# title: Engine or OCI runtime outdated
# description: |
#   A program of the engine has a known vulnerability, or its makers no longer mend its version. Faults of runc,
#   containerd and Docker have led out of containers without any wrong setting. Programs that a distribution built are
#   left to postscan vm, which knows their packages: a distribution mends an old version without changing its number.
# related_resources:
#   - ref: https://github.com/containerd/containerd/blob/main/RELEASES.md
#     description: Support of containerd
#   - ref: https://github.com/moby/moby/blob/master/project/BRANCHES-AND-TAGS.md
#     description: Branches of Moby
# schemas:
#   - input: schema["engine"]
# custom:
#   id: PS-ENG-017
#   severities: [critical, high, medium, low, info]
#   needs: [components, vulnerabilities]
#   remediation: |
#     Update the engine and its runtime, and restart it; containers go on with live-restore, or are started anew. Move to
#     a version that is supported.
#   references:
#     nist-800-190: ["4.4.1"]
#     cis-docker: ["1.2.2"]
#     attack-containers: [T1611, T1068]
#     cwe: ["1395"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.engine.outdated

import data.postscan.lib.engine_support

deny contains {
	"message": sprintf("%s %s has %s%s", [v.component, v.version, v.id, fix(v)]),
	"path": sprintf("vulnerabilities[%d]", [i]),
	"value": v.id,
	"key": concat(" ", [v.component, v.id]),
	"severity": severity(v),
} if {
	some i, v in input.vulnerabilities
}

deny contains {
	"message": sprintf("%s %s is out of support since %s", [c.name, c.version, ended]),
	"path": sprintf("components[%d].version", [i]),
	"value": c.version,
	"key": concat(" ", [c.name, "support"]),
	"severity": "high",
} if {
	some i, c in input.components
	not c.packaged
	ended := engine_support.ended(c.name, c.version)
	time.parse_rfc3339_ns(data.params.now) > time.parse_rfc3339_ns(concat("", [ended, "T00:00:00Z"]))
}

severity(v) := v.severity if {
	v.severity in {"critical", "high", "medium", "low"}
} else := "info"

fix(v) := concat("", [", fixed in ", v.fixed]) if {
	v.fixed != ""
} else := ""
