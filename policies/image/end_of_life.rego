# METADATA
# scope: package
# title: Operating system of the image is out of support
# description: |
#   The distribution release that the image is built on gets no security fixes from its vendor any more. Its vulnerabilities stay
#   open for good, and newer ones are often not even published for it, so a scanner that finds nothing says nothing. Every
#   container of the image then rests on its runtime isolation alone.
# related_resources:
#   - ref: https://endoflife.date/
#     description: Support dates of distributions
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, image vulnerabilities
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-015
#   severity: high
#   needs: [distribution.family, distribution.version, distribution.name, distribution.end_of_life]
#   remediation: |
#     Rebuild on a release that is still supported, and plan the next move before its date. Where the old release must stay for a
#     while, buy the vendor's extended support and install from its repositories.
#   references:
#     nist-800-190: ["4.1.1", "4.2.2"]
#     cis-docker: ["4.4"]
#     owasp-k8s: [K07]
#     cwe: ["1104"]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.end_of_life

# An image without a distribution (scratch, distroless static) has no release to be old.
applies if input.distribution.family != "none"

deny contains {
	"message": sprintf("%s is out of its vendor's support", [release]),
	"path": "distribution",
	"value": {"family": input.distribution.family, "version": input.distribution.version},
} if {
	input.distribution.end_of_life
}

release := input.distribution.name if {
	input.distribution.name != ""
} else := concat(" ", [input.distribution.family, input.distribution.version])
