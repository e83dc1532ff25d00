package postscan.lib.vulnerabilities_test

import data.postscan.lib.vulnerabilities

openssl := {
	"id": "CVE-2024-0001",
	"package": "openssl",
	"package_type": "debian",
	"version": "3.0.11-1~deb12u2",
	"fixed_version": "3.0.13-1~deb12u1",
	"status": "fixed",
	"purl": "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.4",
	"path": "var/lib/dpkg/status",
}

test_key_has_no_version_and_no_release if {
	vulnerabilities.key(openssl) == "CVE-2024-0001 pkg:deb/debian/openssl var/lib/dpkg/status"
}

test_key_survives_a_newer_package_and_a_newer_release if {
	rebuilt := object.union(openssl, {
		"version": "3.0.12-1",
		"purl": "pkg:deb/debian/openssl@3.0.12-1?arch=amd64&distro=debian-12.5",
	})
	vulnerabilities.key(rebuilt) == vulnerabilities.key(openssl)
}

test_package_name_keeps_the_at_sign_of_a_scope if {
	vulnerabilities.package_name({"purl": "pkg:npm/%40babel/core@7.0.0"}) == "pkg:npm/%40babel/core"
	vulnerabilities.package_name({"purl": "pkg:npm/@babel/core@7.0.0"}) == "pkg:npm/@babel/core"
	vulnerabilities.package_name({"purl": "pkg:npm/@babel/core"}) == "pkg:npm/@babel/core"
}

test_package_name_of_nested_names if {
	vulnerabilities.package_name({"purl": "pkg:golang/example.org/a/b@v2.1.7#pkg/c"}) == "pkg:golang/example.org/a/b"
	vulnerabilities.package_name({"purl": "pkg:maven/org.example/core@2.14.1?type=jar"}) == "pkg:maven/org.example/core"
	vulnerabilities.package_name({"purl": "pkg:pypi/requests?checksum=sha1:a/b@c"}) == "pkg:pypi/requests"
}

test_package_name_without_a_url if {
	vulnerabilities.package_name({"purl": "", "package_type": "gobinary", "package": "stdlib"}) == "gobinary/stdlib"
}

test_fix_names_the_version if {
	vulnerabilities.fix(openssl) == "fixed in 3.0.13-1~deb12u1"
}

test_fix_without_a_version if {
	vulnerabilities.fix({"fixed_version": "", "status": "will_not_fix"}) == "the vendor will not fix it"
	vulnerabilities.fix({"fixed_version": "", "status": "affected"}) == "no fix is known"
	vulnerabilities.fix({"fixed_version": "", "status": ""}) == "no fix is known"
}

test_evidence_is_small if {
	vulnerabilities.evidence(openssl) == {
		"id": "CVE-2024-0001",
		"package": "openssl",
		"version": "3.0.11-1~deb12u2",
		"fixed_version": "3.0.13-1~deb12u1",
	}
}
