package main

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func meta(ns, name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: ns, Name: name} }

func policy(verbs, groups, resources, names []string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: verbs, APIGroups: groups, Resources: resources, ResourceNames: names}
}

func group(name string) rbacv1.Subject { return rbacv1.Subject{Kind: "Group", Name: name} }

func account(ns, name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "ServiceAccount", Namespace: ns, Name: name}
}

// joining is the group of machines that join by a bootstrap token.
const joining = "system:bootstrappers:kubeadm:default-node-token"

func kubeadmClusterRoles() []rbacv1.ClusterRole {
	read := []string{"get", "list", "watch"}
	return []rbacv1.ClusterRole{
		{ObjectMeta: meta("", "kubeadm:get-nodes"), Rules: []rbacv1.PolicyRule{policy([]string{"get"}, []string{""}, []string{"nodes"}, nil)}},
		{ObjectMeta: meta("", "system:coredns"), Rules: []rbacv1.PolicyRule{
			policy([]string{"list", "watch"}, []string{""}, []string{"endpoints", "services", "pods", "namespaces"}, nil),
			policy([]string{"get"}, []string{""}, []string{"nodes"}, nil),
			policy([]string{"list", "watch"}, []string{"discovery.k8s.io"}, []string{"endpointslices"}, nil),
		}},
		{ObjectMeta: meta("", "system:metrics-server"), Rules: []rbacv1.PolicyRule{
			policy([]string{"get"}, []string{""}, []string{"nodes/metrics"}, nil),
			policy(read, []string{""}, []string{"pods", "nodes"}, nil),
		}},
		{ObjectMeta: meta("", "system:aggregated-metrics-reader"), Rules: []rbacv1.PolicyRule{policy(read, []string{"metrics.k8s.io"}, []string{"pods", "nodes"}, nil)}},
	}
}

func kubeadmRoles() []rbacv1.Role {
	get := func(name string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{policy([]string{"get"}, []string{""}, []string{"configmaps"}, []string{name})}
	}
	return []rbacv1.Role{
		{ObjectMeta: meta("kube-public", "kubeadm:bootstrap-signer-clusterinfo"), Rules: get("cluster-info")},
		{ObjectMeta: meta("kube-system", "kubeadm:kubelet-config"), Rules: get("kubelet-config")},
		{ObjectMeta: meta("kube-system", "kubeadm:nodes-kubeadm-config"), Rules: get("kubeadm-config")},
		{ObjectMeta: meta("kube-system", "kube-proxy"), Rules: get("kube-proxy")},
	}
}

func kubeadmClusterRoleBindings() []rbacv1.ClusterRoleBinding {
	bind := func(name, role string, subjects ...rbacv1.Subject) rbacv1.ClusterRoleBinding {
		return rbacv1.ClusterRoleBinding{ObjectMeta: meta("", name), RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: subjects}
	}
	return []rbacv1.ClusterRoleBinding{
		bind("kubeadm:cluster-admins", "cluster-admin", group("kubeadm:cluster-admins")),
		bind("kubeadm:get-nodes", "kubeadm:get-nodes", group(joining)),
		bind("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", group(joining)),
		bind("kubeadm:node-autoapprove-bootstrap", "system:certificates.k8s.io:certificatesigningrequests:nodeclient", group(joining)),
		bind("kubeadm:node-autoapprove-certificate-rotation", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", group("system:nodes")),
		bind("kubeadm:node-proxier", "system:node-proxier", account("kube-system", "kube-proxy")),
		bind("system:coredns", "system:coredns", account("kube-system", "coredns")),
		bind("system:metrics-server", "system:metrics-server", account("kube-system", "metrics-server")),
		bind("metrics-server:system:auth-delegator", "system:auth-delegator", account("kube-system", "metrics-server")),
	}
}

func kubeadmRoleBindings() []rbacv1.RoleBinding {
	bind := func(ns, name, role string, subjects ...rbacv1.Subject) rbacv1.RoleBinding {
		return rbacv1.RoleBinding{ObjectMeta: meta(ns, name), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: role}, Subjects: subjects}
	}
	anonymous := rbacv1.Subject{Kind: "User", Name: "system:anonymous"}
	return []rbacv1.RoleBinding{
		bind("kube-public", "kubeadm:bootstrap-signer-clusterinfo", "kubeadm:bootstrap-signer-clusterinfo", anonymous),
		bind("kube-system", "kubeadm:kubelet-config", "kubeadm:kubelet-config", group("system:nodes"), group(joining)),
		bind("kube-system", "kubeadm:nodes-kubeadm-config", "kubeadm:nodes-kubeadm-config", group(joining), group("system:nodes")),
		bind("kube-system", "kube-proxy", "kube-proxy", group(joining)),
		bind("kube-system", "metrics-server-auth-reader", "extension-apiserver-authentication-reader", account("kube-system", "metrics-server")),
	}
}
