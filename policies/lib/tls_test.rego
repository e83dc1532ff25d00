package postscan.lib.tls_test

import data.postscan.lib.tls

test_versions if {
	tls.old("VersionTLS11")
	not tls.old("VersionTLS12")
	not tls.old("")
}

test_suites if {
	suites := {
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
		"TLS_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_RSA_WITH_RC4_128_SHA",
		"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	}
	tls.weak(suites, "") == {
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
		"TLS_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_RSA_WITH_RC4_128_SHA",
		"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
	}
	tls.weak(suites, "VersionTLS13") == set()
}

test_triple_des if {
	tls.weak({"TLS_ECDHE_RSA_WITH_3DES_EDE_SHA"}, "VersionTLS12") == {"TLS_ECDHE_RSA_WITH_3DES_EDE_SHA"}
}
