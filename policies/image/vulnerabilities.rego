# METADATA
# scope: package
# title: Known vulnerability in a package
# description: |
#   A package in the image has a published vulnerability. Code in the container is the first wall that an attacker meets: a flaw in
#   it is the way in, and what isolates the container then stands alone. Every known vulnerability is reported, with or without a
#   fix, once for each vulnerability, package and path, with the severity that the advisory gives; "unknown" where it gives none.
#   Findings without a fix are put aside, visibly, with --only-fixable.
# related_resources:
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, image vulnerabilities
#   - ref: https://www.first.org/cvss/
#     description: CVSS, the scale behind most severities
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-013
#   severities: [critical, high, medium, low, unknown]
#   needs: [vulnerabilities]
#   remediation: |
#     Rebuild on the fixed version: a newer base image for packages of the operating system, a newer version in the lock file for
#     those of the application. Where there is no fix, remove the package if nothing needs it, or record with VEX or a waiver why
#     it cannot be reached. Rebuild on a schedule, since new vulnerabilities are published for images that do not change.
#   references:
#     nist-800-190: ["4.1.1"]
#     nsa-cisa: [UPG1]
#     cis-docker: ["4.4"]
#     attack-containers: [T1190, T1068]
#     owasp-k8s: [K07]
#     cwe: ["1395"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.vulnerabilities

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
