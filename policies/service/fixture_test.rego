# METADATA
# description: One Service that leads inside, whole as the collector writes it, and a way to say what is different about another.
package postscan.service.fixture_test

service(changes) := object.union(clean, changes)

clean := {
	"namespace": {"name": "shop", "declared": true, "system": false, "pod_security": {}},
	"cluster": {"minor": 37, "distribution": "kubernetes", "always_pull_images": "unknown", "deny_external_ips": "unknown"},
	"api_server": false,
	"type": "ClusterIP",
	"internal": false,
	"source_ranges": [],
	"open_to_all": true,
	"allocate_node_ports": false,
	"external_ips": [],
	"external_name": "",
	"ports": [{"name": "http", "port": 80, "target": "8080", "node_port": 0, "protocol": "TCP", "path": "spec.ports[0]"}],
	"selector": true,
	"matches": 1,
	"targets": [],
	"nodes_public": "false",
	"images": ["team/web"],
}
