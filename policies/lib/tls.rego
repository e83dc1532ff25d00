# METADATA
# description: Which versions of TLS and which cipher suites are weak.
package postscan.lib.tls

# old is true for a version below 1.2, as flags of Go programs and of etcd write it.
old(version) if version in {"VersionTLS10", "VersionTLS11", "TLS1.0", "TLS1.1"}

# weak are the suites that have no authenticated encryption or no forward secrecy.
# With TLS 1.3 as the lowest version none of them is used.
weak(suites, version) := {suite |
	some suite in suites
	not version in {"VersionTLS13", "TLS1.3"}
	weak_suite(suite)
}

weak_suite(suite) if startswith(suite, "TLS_RSA_") # the server's key decrypts all traffic, later too

weak_suite(suite) if contains(suite, "_CBC_")

weak_suite(suite) if contains(suite, "_RC4_")

weak_suite(suite) if contains(suite, "_3DES_")
