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

key_of(purl) := vulnerabilities.key({"id": "A", "purl": purl, "path": "p"})

test_key_keeps_the_at_sign_of_a_scope if {
	key_of("pkg:npm/%40babel/core@7.0.0") == "A pkg:npm/%40babel/core p"
	key_of("pkg:npm/@babel/core@7.0.0") == "A pkg:npm/@babel/core p"
	key_of("pkg:npm/@babel/core") == "A pkg:npm/@babel/core p"
}

test_key_of_nested_names if {
	key_of("pkg:golang/example.org/a/b@v2.1.7#pkg/c") == "A pkg:golang/example.org/a/b p"
	key_of("pkg:maven/org.example/core@2.14.1?type=jar") == "A pkg:maven/org.example/core p"
	key_of("pkg:pypi/requests@2.0?checksum=sha1:a/b@c") == "A pkg:pypi/requests p"
	key_of("pkg:pypi/requests?checksum=sha1:a/b@c") == "A pkg:pypi/requests p"
	key_of("pkg:pypi/requests") == "A pkg:pypi/requests p"
}

test_key_without_a_url if {
	stdlib := {"id": "A", "purl": "", "package_type": "gobinary", "package": "stdlib", "path": "app/server"}
	vulnerabilities.key(stdlib) == "A gobinary/stdlib app/server"
}

test_installed if {
	vulnerabilities.installed(openssl) == "openssl 3.0.11-1~deb12u2 has CVE-2024-0001"
}

test_fix_names_the_version if {
	vulnerabilities.fix(openssl) == "fixed in 3.0.13-1~deb12u1"
}

test_fix_without_a_version if {
	vulnerabilities.fix({"fixed_version": "", "status": "will_not_fix"}) == "the vendor will not fix it"
	vulnerabilities.fix({"fixed_version": "", "status": "affected"}) == "no fix is known"
	vulnerabilities.fix({"fixed_version": "", "status": ""}) == "no fix is known"
}

test_exploited_says_why if {
	quiet := object.union(openssl, {"kev": false, "epss": 0.4, "network_vector": true})
	vulnerabilities.exploited(object.union(quiet, {"kev": true}), 0.5) == "it is on the list of known exploited vulnerabilities"
	vulnerabilities.exploited(quiet, 0.4) == "it is reachable over the network and its EPSS is 0.4"
	not vulnerabilities.exploited(quiet, 0.5)
	not vulnerabilities.exploited(object.union(quiet, {"network_vector": false}), 0.4)
}
