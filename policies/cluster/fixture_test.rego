# METADATA
# description: |
#   One hardened cluster, whole as the collector writes it, and ways to say what is different about another.
package postscan.cluster.fixture_test

# cluster is the hardened cluster with some fields replaced; objects are merged.
cluster(changes) := object.union(clean, changes)

# servers is the hardened cluster whose API server has some flags replaced; null takes one away.
servers(changes) := cluster({"api_servers": [component("kube-apiserver", "api_servers[0]", object.union(api_flags, changes))]})

managers(changes) := cluster({"controller_managers": [component("kube-controller-manager", "controller_managers[0]", object.union(
	manager_flags,
	changes,
))]})

schedulers(changes) := cluster({"schedulers": [component("kube-scheduler", "schedulers[0]", object.union(scheduler_flags, changes))]})

etcds(changes) := cluster({"etcds": [component("etcd", "etcds[0]", object.union(etcd_flags, changes))]})

# behind_a_file is the cluster with every component of a list reading a file that was not read.
behind_a_file(c, list) := object.union(c, {list: [object.union(one, {"config_file": true}) | some one in c[list]]})

component(name, path, flags) := {
	"name": name,
	"where": "cp-1",
	"version": "1.37.2",
	"flags": [{"name": flag, "value": value, "path": "spec.containers[0].command[1]"} | some flag, value in flags; value != null],
	"config_file": false,
	"config": config,
	"host_paths": ["/etc/kubernetes/pki"],
	"path": path,
}

config := {
	"read": true,
	"anonymous": "unset",
	"anonymous_paths": [],
	"authorizers": [],
	"secrets_provider": "kms-v2",
	"audit_drops": [],
}

api_flags := {
	"anonymous-auth": "false",
	"audit-log-maxage": "30",
	"audit-log-maxbackup": "10",
	"audit-log-maxsize": "100",
	"audit-log-path": "/var/log/audit.log",
	"audit-policy-file": "/etc/kubernetes/audit.yaml",
	"authorization-mode": "Node,RBAC",
	"client-ca-file": "/etc/kubernetes/pki/ca.crt",
	"enable-admission-plugins": "NodeRestriction,EventRateLimit,AlwaysPullImages,DenyServiceExternalIPs",
	"encryption-provider-config": "/etc/kubernetes/enc.yaml",
	"etcd-cafile": "/etc/kubernetes/pki/etcd/ca.crt",
	"etcd-certfile": "/etc/kubernetes/pki/apiserver-etcd-client.crt",
	"etcd-keyfile": "/etc/kubernetes/pki/apiserver-etcd-client.key",
	"etcd-servers": "https://127.0.0.1:2379",
	"kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt",
	"kubelet-client-certificate": "/etc/kubernetes/pki/apiserver-kubelet-client.crt",
	"kubelet-client-key": "/etc/kubernetes/pki/apiserver-kubelet-client.key",
	"profiling": "false",
	"secure-port": "6443",
	"service-account-extend-token-expiration": "false",
	"service-account-key-file": "/etc/kubernetes/pki/sa.pub",
	"tls-cert-file": "/etc/kubernetes/pki/apiserver.crt",
	"tls-private-key-file": "/etc/kubernetes/pki/apiserver.key",
}

manager_flags := {
	"bind-address": "127.0.0.1",
	"profiling": "false",
	"root-ca-file": "/etc/kubernetes/pki/ca.crt",
	"service-account-private-key-file": "/etc/kubernetes/pki/sa.key",
	"use-service-account-credentials": "true",
}

scheduler_flags := {"bind-address": "127.0.0.1", "profiling": "false"}

etcd_flags := {
	"cert-file": "/etc/kubernetes/pki/etcd/server.crt",
	"client-cert-auth": "true",
	"key-file": "/etc/kubernetes/pki/etcd/server.key",
	"listen-client-urls": "https://127.0.0.1:2379,https://10.0.0.1:2379",
	"listen-peer-urls": "https://10.0.0.1:2380",
	"peer-cert-file": "/etc/kubernetes/pki/etcd/peer.crt",
	"peer-client-cert-auth": "true",
	"peer-key-file": "/etc/kubernetes/pki/etcd/peer.key",
	"peer-trusted-ca-file": "/etc/kubernetes/pki/etcd/ca.crt",
	"trusted-ca-file": "/etc/kubernetes/pki/etcd/ca.crt",
}

params := {"now": "2026-11-01T12:00:00Z", "multi_tenant": true}

clean := {
	"version": "v1.37.2",
	"minor": 37,
	"patch": 2,
	"distribution": "kubeadm",
	"edge": false,
	"managed": false,
	"provider": "",
	"support_ends": "2027-10-28",
	"kubelet_lowest": 35,
	"kubelet_highest": 37,
	"node_count": 3,
	"anonymous": {"enabled": "false", "paths": [], "bindings": 0, "limited": false},
	"endpoint": {"host": "10.0.0.1:6443", "public": "false", "port": 6443, "plain": false, "restricted": "unknown"},
	"credential": {"kind": "certificate", "expires": "unknown"},
	"encryption": {"configured": true, "provider": "kms-v2", "path": "api_servers[0].flags[9]"},
	"etcd_guarded": "true",
	"cloud": cloud,
	"api_servers": [component("kube-apiserver", "api_servers[0]", api_flags)],
	"controller_managers": [component("kube-controller-manager", "controller_managers[0]", manager_flags)],
	"schedulers": [component("kube-scheduler", "schedulers[0]", scheduler_flags)],
	"etcds": [component("etcd", "etcds[0]", etcd_flags)],
	"kube_proxies": [component("kube-proxy", "kube_proxies[0]", {"metrics-bind-address": ""})],
	"kubelets": [],
	"token_secrets": [],
	"bootstrap_tokens": [],
	"certificates": [],
	"mappings": [],
	"openshift": openshift,
	"k3s_servers": [],
}

cloud := {
	"logs": [],
	"authentication_mode": "",
	"broad_admins": [],
	"local_accounts": "unknown",
	"directory_rbac": "unknown",
	"legacy_abac": "unknown",
	"basic_auth": "unknown",
	"client_certificate": "unknown",
	"pools": [],
}

openshift := {
	"present": false,
	"version": "",
	"kubeadmin": "unknown",
	"encryption": "",
	"audit_profile": "",
	"allowed_registries": false,
	"insecure_registries": false,
	"unsupported_overrides": false,
	"identity_providers": 0,
	"sccs": [],
}
