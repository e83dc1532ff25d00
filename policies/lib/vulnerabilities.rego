# METADATA
# description: |
#   What findings about known vulnerabilities have in common: the key that stays the
#   same from scan to scan, the evidence, and the words for whether there is a fix.
package postscan.lib.vulnerabilities

# key tells two vulnerabilities of one resource apart: the id, the package URL without
# version, qualifiers and subpath, and the path. It survives a rebuild on newer packages:
# the version, and with it the release that stands in a qualifier, is not part of it.
key(vulnerability) := concat(" ", [vulnerability.id, package_name(vulnerability), vulnerability.path])

# package_name is the package URL up to the version: "pkg:npm/%40babel/core". A package
# without a URL (some SBOMs) is named by its type and name.
package_name(vulnerability) := name if {
	vulnerability.purl != ""

	# Up to the last slash, then up to the "@" of the version: a namespace may hold an "@" too.
	name := regex.find_n(`^[^?#]*/[^/@?#]*`, vulnerability.purl, 1)[0]
} else := concat("/", [vulnerability.package_type, vulnerability.package])

# evidence is what a finding shows; the report joins the whole vulnerability by its path.
evidence(vulnerability) := {
	"id": vulnerability.id,
	"package": vulnerability.package,
	"version": vulnerability.version,
	"fixed_version": vulnerability.fixed_version,
}

# fix says in words whether the package can be repaired.
fix(vulnerability) := concat(" ", ["fixed in", vulnerability.fixed_version]) if {
	vulnerability.fixed_version != ""
} else := object.get(fix_status, vulnerability.status, "no fix is known")

fix_status := {
	"will_not_fix": "the vendor will not fix it",
	"fix_deferred": "the vendor has put the fix off",
	"end_of_life": "the release gets no fixes any more",
	"under_investigation": "the vendor is looking into it",
}
