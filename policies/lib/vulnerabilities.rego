# METADATA
# description: |
#   What findings about known vulnerabilities have in common: the key that stays the same from
#   scan to scan, and the words for what is wrong and whether there is a fix. An image may have
#   thousands, so each is one call that does little.
package postscan.lib.vulnerabilities

# key tells two vulnerabilities of one resource apart: the id, the package URL without
# version, qualifiers and subpath, and the path. It survives a rebuild on newer packages:
# the version, and with it the release that stands in a qualifier, is not part of it. A
# package without a URL (some SBOMs) is named by its type and name.
key(vulnerability) := concat(" ", [
	vulnerability.id,
	# The "@" of the version is after the last slash; a namespace may hold another.
	regex.replace(vulnerability.purl, `@[^/@?#]*(?:[?#].*)?$|[?#].*$`, ""),
	vulnerability.path,
]) if {
	vulnerability.purl != ""
} else := concat(" ", [
	vulnerability.id,
	concat("/", [vulnerability.package_type, vulnerability["package"]]),
	vulnerability.path,
])

# installed says which vulnerability is in which package.
installed(vulnerability) := concat(" ", [
	vulnerability["package"],
	vulnerability.version,
	"has",
	vulnerability.id,
])

# exploited says in words why a vulnerability is one that attackers use, or will probably use within 30
# days: it is on the list of known exploited ones, or it is reachable over the network and its EPSS
# is at or above the threshold. It is undefined for all others. Being used now outweighs a prediction.
exploited(vulnerability, threshold) := "it is on the list of known exploited vulnerabilities" if {
	vulnerability.kev
} else := sprintf("it is reachable over the network and its EPSS is %v", [vulnerability.epss]) if {
	vulnerability.network_vector
	vulnerability.epss >= threshold
}

# fix says in words whether the package can be repaired.
fix(vulnerability) := concat(" ", ["fixed in", vulnerability.fixed_version]) if {
	vulnerability.fixed_version != ""
} else := object.get(_fix_by_status, vulnerability.status, "no fix is known")

_fix_by_status := {
	"will_not_fix": "the vendor will not fix it",
	"fix_deferred": "the vendor has put the fix off",
	"end_of_life": "the release gets no fixes any more",
	"under_investigation": "the vendor is looking into it",
}
