package facts

import (
	"slices"
	"testing"
)

func TestParseFlags(t *testing.T) {
	for _, c := range []struct {
		name, component string
		args            []string
		want            []Flag
	}{
		{"values in both forms", "kube-apiserver", []string{"kube-apiserver", "--anonymous-auth=false", "--authorization-mode", "Node,RBAC", "--profiling"}, []Flag{
			{"anonymous-auth", "false", "c[1]"}, {"authorization-mode", "Node,RBAC", "c[2]"}, {"profiling", "true", "c[4]"},
		}},
		{"an unknown flag may hold a secret", "kube-apiserver", []string{"--cloud-password=x", "--secure-port=6443"}, []Flag{{"secure-port", "6443", "c[1]"}}},
		{"one dash, as etcd takes it", "etcd", []string{"etcd", "-client-cert-auth"}, []Flag{{"client-cert-auth", "true", "c[1]"}}},
		{"given twice", "kube-apiserver", []string{"--service-account-key-file=a", "--service-account-key-file=b"}, []Flag{{"service-account-key-file", "a,b", "c[0]"}}},
		{"k3s names its part first, and its token is not kept", "k3s", []string{"server", "--token", "abc", "--agent-token=def"}, []Flag{
			{"server", "true", "c[0]"}, {"token", Given, "c[1]"}, {"agent-token", Given, "c[3]"},
		}},
		{"the address of static pods may hold a password", "kubelet", []string{"--manifest-url=http://u:p@h:1/path?x=y"}, []Flag{{"manifest-url", "http://h:1", "c[0]"}}},
		{"of a stranger nothing is kept", "nginx", []string{"--secure-port=1"}, nil},
	} {
		if got := ParseFlags(c.component, c.args, "c"); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if !KeepsFlag("k3s", "profile") || KeepsFlag("k3s", "node-ip") {
		t.Error("k3s keeps profile and not node-ip")
	}
}

// What a kubelet without a file does differs from what one with an empty file does.
func TestReadKubelet(t *testing.T) {
	read := func(flags []Flag, files ...string) Kubelet {
		t.Helper()
		var raw [][]byte
		for _, f := range files {
			raw = append(raw, []byte(f))
		}
		k, err := ReadKubelet(flags, raw...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	bare := read(nil)
	if !bare.AnonymousAuth || bare.AuthorizationMode != "AlwaysAllow" || bare.ReadOnlyPort != 10255 {
		t.Errorf("without a file: %+v", bare)
	}
	empty := read(nil, `{}`)
	if empty.AnonymousAuth || empty.AuthorizationMode != "Webhook" || empty.ReadOnlyPort != 0 || empty.PodPidsLimit != -1 || empty.StreamingIdleSeconds != 4*3600 || empty.EventRecordQPS != 50 {
		t.Errorf("with an empty file: %+v", empty)
	}
	if k := read(nil, `{"streamingConnectionIdleTimeout":"0s"}`); k.StreamingIdleSeconds != 4*3600 {
		t.Errorf("0s in a file is the default, got %d", k.StreamingIdleSeconds)
	}
	if k := read(ParseFlags("kubelet", []string{"--streaming-connection-idle-timeout=0", "--read-only-port=10255", "--anonymous-auth", "--pod-max-pids=100"}, ""), `{"podPidsLimit":5}`); k.StreamingIdleSeconds != 0 || k.ReadOnlyPort != 10255 || !k.AnonymousAuth || k.PodPidsLimit != 100 {
		t.Errorf("flags outweigh files: %+v", k)
	}
	if k := read(nil, `{"seccompDefault":true,"podPidsLimit":5}`, `{"podPidsLimit":7,"featureGates":{"RotateKubeletServerCertificate":true}}`); !k.SeccompDefault || k.PodPidsLimit != 7 || k.RotateServerGate != "true" {
		t.Errorf("a drop-in outweighs the file and leaves the rest: %+v", k)
	}
	if _, err := ReadKubelet(nil, []byte("kind: x")); err == nil {
		t.Error("YAML is no JSON")
	}
}

// Both lists must name fields that exist, or gaps would answer for nothing.
func TestNeedsNameFields(t *testing.T) {
	for _, k := range []Kind{KindNode, KindCluster} {
		absent, err := absentFields([]byte("{}"), New(k))
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range []map[string]Missing{NeedsNode(k), NeedsAPI(k)} {
			for path, m := range list {
				if !slices.Contains(absent, path) {
					t.Errorf("%s has no field %q", k, path)
				}
				if m.Status != NotAssessed || m.Reason == "" {
					t.Errorf("%s %s: %+v", k, path, m)
				}
			}
		}
	}
}
