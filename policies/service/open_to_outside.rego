# METADATA
# scope: package
# title: Service open to outside networks
# description: |
#   Anyone may connect to the Service from outside the cluster. A LoadBalancer that is not asked to be internal and that takes every
#   source address is open (medium; high where a port is known for administration or data). Node ports on nodes with public
#   addresses are open too (low): those of a NodePort Service, and those that a LoadBalancer opens beside its balancer, which its
#   source ranges do not guard everywhere.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
#     description: Service types
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/#load-balancer-nodeport-allocation
#     description: Load balancers without node ports
# schemas:
#   - input: schema["service"]
# custom:
#   id: PS-NET-007
#   severities: [high, medium, low]
#   needs: [type, internal, open_to_all, source_ranges, ports, allocate_node_ports, nodes_public]
#   remediation: |
#     Use ClusterIP behind a Gateway or Ingress, ask the provider for an internal load balancer, or name loadBalancerSourceRanges.
#     Set allocateLoadBalancerNodePorts to false where the provider's balancer does not use node ports.
#   references:
#     nist-800-190: ["4.4.2"]
#     nsa-cisa: [NET2]
#     attack-containers: [T1190, T1133]
#     owasp-k8s: [K06]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.service.open_to_outside

import data.postscan.lib.addresses

applies if input.type in {"LoadBalancer", "NodePort"}

deny contains {
	"message": sprintf("the load balancer takes every source address%s", [sensitive_ports]),
	"path": path,
	"value": input.source_ranges,
	"key": "load-balancer",
	"severity": severity,
} if {
	input.type == "LoadBalancer"
	not input.internal
	open
}

deny contains {
	"message": sprintf("node ports are open on nodes with public addresses: %s", [concat(", ", node_ports)]),
	"path": "spec.ports",
	"value": node_ports,
	"key": "node-ports",
	"severity": "low",
} if {
	has_node_ports
	input.nodes_public == "true"
}

open if input.open_to_all

open if addresses.everything(input.source_ranges)

has_node_ports if input.type == "NodePort"

has_node_ports if {
	input.type == "LoadBalancer"
	input.allocate_node_ports
}

default path := "spec.type"

path := "spec.loadBalancerSourceRanges" if count(input.source_ranges) > 0

default severity := "medium"

severity := "high" if count(sensitive) > 0

default sensitive_ports := ""

sensitive_ports := sprintf(", on ports of administration or data: %s", [concat(", ", sensitive)]) if count(sensitive) > 0

sensitive contains sprintf("%d (%s)", [p.port, program]) if {
	some p in input.ports
	some n, program in known
	n in {sprintf("%d", [p.port]), p.target}
}

node_ports contains number(p) if some p in input.ports

number(p) := sprintf("%d", [p.node_port]) if p.node_port > 0

number(p) := sprintf("one for %d", [p.port]) if p.node_port == 0

# known are ports of programs that administer machines or hold data.
known := {
	"22": "SSH", "23": "Telnet", "111": "portmapper", "139": "SMB", "389": "LDAP", "445": "SMB", "514": "remote shell",
	"1433": "SQL Server", "1521": "Oracle", "2049": "NFS", "2181": "ZooKeeper", "2375": "Docker", "2376": "Docker",
	"2379": "etcd", "2380": "etcd", "3268": "LDAP", "3306": "MySQL", "3389": "RDP", "4333": "mSQL", "5000": "registry",
	"5432": "PostgreSQL", "5601": "Kibana", "5672": "RabbitMQ", "5900": "VNC", "5984": "CouchDB", "5985": "WinRM", "5986": "WinRM",
	"6379": "Redis", "6443": "Kubernetes API", "7000": "Cassandra", "7199": "Cassandra", "7474": "Neo4j", "7687": "Neo4j",
	"8020": "HDFS", "8086": "InfluxDB", "8088": "YARN", "8200": "Vault", "8500": "Consul", "9000": "ClickHouse or MinIO",
	"9042": "Cassandra", "9092": "Kafka", "9160": "Cassandra", "9200": "Elasticsearch", "9300": "Elasticsearch",
	"10250": "kubelet", "10255": "kubelet", "11211": "memcached", "15672": "RabbitMQ", "26257": "CockroachDB", "27017": "MongoDB",
	"27018": "MongoDB", "27019": "MongoDB", "28015": "RethinkDB", "44134": "Tiller", "50000": "Db2 or Jenkins", "50070": "HDFS",
}
