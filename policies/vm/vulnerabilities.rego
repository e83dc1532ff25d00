# METADATA
# scope: package
# title: Known vulnerability in a package of the machine
# description: |
#   A package that is installed on the machine has a published vulnerability. Every known one is reported, with or without a
#   fix, once for each vulnerability, package and path, with the severity that the advisory gives; unknown where it gives none.
#   Findings without a fix are put aside, visibly, with --only-fixable. Packages inside of container images belong to the images
#   and are not reported here.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, host component vulnerabilities
#   - ref: https://www.first.org/cvss/
#     description: CVSS, the scale behind most severities
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-011
#   severities: [critical, high, medium, low, unknown]
#   needs: [vulnerabilities]
#   remediation: |
#     Install the fixed version and restart what uses it, the machine where it is the kernel. Remove packages that nothing
#     needs. Where there is no fix, record with VEX or a waiver why it cannot be reached.
#   references:
#     nist-800-190: ["4.5.3"]
#     nist-800-125: ["4.2"]
#     aws-fsbp: [SSM.2]
#     attack-containers: [T1068, T1190]
#     cwe: ["1395"]
#     isolation: [W2, W6]
#   since: "0.1.0"
package postscan.vm.vulnerabilities

import data.postscan.lib.vulnerabilities as lib

deny contains {
	"message": concat(": ", [lib.installed(vulnerability), lib.fix(vulnerability)]),
	"path": sprintf("vulnerabilities[%d]", [index]),
	"value": vulnerability.version,
	"key": lib.key(vulnerability),
	"severity": object.get(severities, vulnerability.severity, "unknown"),
} if {
	some index, vulnerability in input.vulnerabilities
}

# Some sources know more words ("negligible"), or none.
severities := {
	"critical": "critical",
	"high": "high",
	"medium": "medium",
	"low": "low",
}
