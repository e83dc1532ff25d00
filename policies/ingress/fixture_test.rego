# METADATA
# description: One Ingress with TLS, whole as the collector writes it, and ways to say what is different about another.
package postscan.ingress.fixture_test

ingress(changes) := object.union(clean, changes)

# with_host is the Ingress whose only host has some fields replaced.
with_host(changes) := ingress({"hosts": [object.union(host, changes)]})

host := {
	"host": "shop.example.com",
	"wildcard": false,
	"protocol": "",
	"tls": "terminate",
	"insecure": false,
	"other_namespaces": false,
	"redirects": false,
	"open_listener": false,
	"path": "spec.rules[0]",
}

clean := {
	"kind": "Ingress",
	"namespace": {"name": "shop", "declared": true, "system": false, "pod_security": {}},
	"class": "public",
	"hosts": [host],
	"default_backend": false,
	"default_backend_path": "",
	"default_backend_tls": "",
	"internal": false,
	"redirects": false,
	"redirect_off": false,
	"snippets": [],
	"backends": ["shop/web"],
	"images": ["team/web"],
	"shared_controller": "false",
}
