package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"path"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
)

// load fills etcd with objects as an API server would have stored them, which is
// some forty times faster than asking the server to.
func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	etcd := flags.String("etcd", "", "client URL of etcd")
	pods := flags.Int("pods", 0, "number of pods")
	deployments := flags.Int("deployments", 0, "number of Deployments that the pods belong to; 0 makes bare pods that all differ")
	roles := flags.Int("roles", 0, "number of Roles and RoleBindings together")
	namespaces := flags.Int("namespaces", 50, "number of namespaces")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{*etcd}, DialTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	s := &store{client: client, enc: protobuf.NewSerializer(scheme, scheme)}
	for i := range *namespaces {
		n := namespace(i)
		s.put("namespaces", "", &corev1.Namespace{ObjectMeta: meta("", n, i), Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}, n, "v1", "Namespace")
		s.put("serviceaccounts", n, &corev1.ServiceAccount{ObjectMeta: meta(n, "default", i)}, "default", "v1", "ServiceAccount")
	}
	for i := range *roles / 2 {
		n, name := namespace(i%*namespaces), fmt.Sprintf("role-%d", i)
		s.put("roles", n, &rbacv1.Role{ObjectMeta: meta(n, name, i), Rules: []rbacv1.PolicyRule{{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}, ResourceNames: []string{name}}}}, name, "rbac.authorization.k8s.io/v1", "Role")
		s.put("serviceaccounts", n, &corev1.ServiceAccount{ObjectMeta: meta(n, name, i)}, name, "v1", "ServiceAccount")
		s.put("rolebindings", n, &rbacv1.RoleBinding{ObjectMeta: meta(n, name, i), RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: name}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: n, Name: name}}}, name, "rbac.authorization.k8s.io/v1", "RoleBinding")
	}
	for d := range *deployments {
		n, name := namespace(d%*namespaces), fmt.Sprintf("app-%d", d)
		tpl := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}, Spec: spec(d)}
		sel := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
		s.put("deployments", n, &appsv1.Deployment{ObjectMeta: meta(n, name, d), Spec: appsv1.DeploymentSpec{Selector: sel, Template: tpl}}, name, "apps/v1", "Deployment")
		rs := &appsv1.ReplicaSet{ObjectMeta: meta(n, name+"-abc12", d), Spec: appsv1.ReplicaSetSpec{Selector: sel, Template: tpl}}
		rs.OwnerReferences = owner("apps/v1", "Deployment", name)
		s.put("replicasets", n, rs, rs.Name, "apps/v1", "ReplicaSet")
	}
	for i := range *pods {
		k := i
		if *deployments > 0 {
			k = i % *deployments
		}
		p := &corev1.Pod{ObjectMeta: meta(namespace(k%*namespaces), fmt.Sprintf("pod-%d", i), i), Spec: spec(k)}
		p.Labels = map[string]string{"app": fmt.Sprintf("app-%d", k)}
		if *deployments > 0 {
			p.OwnerReferences = owner("apps/v1", "ReplicaSet", fmt.Sprintf("app-%d-abc12", k))
		}
		p.Spec.NodeName = fmt.Sprintf("node-%d", i%100)
		p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", ContainerStatuses: []corev1.ContainerStatus{
			{Name: "app", Ready: true, Image: p.Spec.Containers[0].Image, ImageID: fmt.Sprintf("registry.example/team/app@sha256:%064d", k), ContainerID: fmt.Sprintf("containerd://%064d", i)},
			{Name: "proxy", Ready: true, Image: "registry.example/mesh/proxy:1.2.3", ImageID: fmt.Sprintf("registry.example/mesh/proxy@sha256:%064d", 1), ContainerID: fmt.Sprintf("containerd://%064d", i+1000000)},
		}}
		s.put("pods", p.Namespace, p, p.Name, "v1", "Pod")
	}
	return s.flush()
}

func namespace(i int) string { return fmt.Sprintf("team-%d", i) }

func owner(version, kind, name string) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: types.UID("uid-" + name), Controller: &yes}}
}

var uid int

func meta(ns, name string, i int) metav1.ObjectMeta {
	uid++
	return metav1.ObjectMeta{
		Namespace: ns, Name: name, UID: types.UID(fmt.Sprintf("00000000-0000-0000-0000-%012d", uid)), CreationTimestamp: metav1.Unix(1700000000+int64(i), 0),
		Annotations: map[string]string{"example.com/config": fmt.Sprintf("%0128d", i)},
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1", FieldsType: "FieldsV1",
			FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:image":{},"f:env":{},"f:resources":{"f:limits":{"f:memory":{}}}}}}}`)},
		}},
	}
}

// spec makes the k-th pod spec; no two are the same.
func spec(k int) corev1.PodSpec {
	yes, no, user := true, false, int64(10000+k%50)
	sc := &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
	if k%7 == 0 {
		sc = &corev1.SecurityContext{Privileged: &yes}
	}
	env := []corev1.EnvVar{{Name: "SHARD", Value: fmt.Sprint(k)}, {Name: "MODE", Value: "production"}, {Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "app"}, Key: "token"}}}}
	return corev1.PodSpec{
		ServiceAccountName: "default", RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler", HostNetwork: k%31 == 0,
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{
			{Name: "app", Image: fmt.Sprintf("registry.example/team/app-%d:v%d", k%200, k), Env: env, SecurityContext: sc, ImagePullPolicy: corev1.PullIfNotPresent,
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}}, VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}, {Name: "conf", MountPath: "/etc/app", ReadOnly: true}}},
			{Name: "proxy", Image: "registry.example/mesh/proxy:1.2.3", SecurityContext: sc, ImagePullPolicy: corev1.PullIfNotPresent},
		},
		Volumes: []corev1.Volume{
			{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: "conf", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: fmt.Sprintf("conf-%d", k)}}}},
		},
		Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
	}
}

// store writes objects, 64 to a transaction.
type store struct {
	client *clientv3.Client
	enc    runtime.Encoder
	ops    []clientv3.Op
	err    error
}

func (s *store) put(resource, ns string, o runtime.Object, name, version, kind string) {
	if s.err != nil {
		return
	}
	o.GetObjectKind().SetGroupVersionKind(groupVersionKind(version, kind))
	var b bytes.Buffer
	if s.err = s.enc.Encode(o, &b); s.err != nil {
		return
	}
	s.ops = append(s.ops, clientv3.OpPut(path.Join("/registry", resource, ns, name), b.String()))
	if len(s.ops) >= 64 {
		s.err = s.flush()
	}
}

func (s *store) flush() error {
	if s.err != nil || len(s.ops) == 0 {
		return s.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := s.client.Txn(ctx).Then(s.ops...).Commit()
	s.ops = s.ops[:0]
	return err
}
