package facts

import (
	"testing"
)

func TestConfigz(t *testing.T) {
	k, err := ReadConfigz([]byte(`{"kubeletconfig":{"authentication":{"anonymous":{"enabled":true},"x509":{"clientCAFile":"/ca"}},"authorization":{"mode":"Webhook"},
		"readOnlyPort":10255,"streamingConnectionIdleTimeout":"0s","podPidsLimit":4096,"eventRecordQPS":0,"seccompDefault":true,"featureGates":{"RotateKubeletServerCertificate":false},
		"staticPodURL":"http://user:pass@10.0.0.1/path?x=y","makeIPTablesUtilChains":false,"imagePullCredentialsVerificationPolicy":"NeverVerify"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Kubelet{
		AnonymousAuth: true, AuthorizationMode: "Webhook", ReadOnlyPort: 10255, ClientCAFile: "/ca", RotateServerGate: "false", SeccompDefault: true,
		PodPidsLimit: 4096, StreamingIdleSeconds: 0, EventRecordQPS: 0, DebuggingHandlers: true, StaticPodURL: "http://10.0.0.1", PullVerification: "NeverVerify",
	}
	if k.StaticPodURL != want.StaticPodURL || k.StreamingIdleSeconds != 0 || k.IPTablesUtilChains || !k.AnonymousAuth || k.PodPidsLimit != 4096 || k.EventRecordQPS != 0 ||
		k.RotateServerGate != "false" || !k.DebuggingHandlers || k.PullVerification != "NeverVerify" || k.ClientCAFile != "/ca" || k.ReadOnlyPort != 10255 {
		t.Errorf("got %+v, want %+v", k, want)
	}
	empty, err := ReadConfigz([]byte(`{"kubeletconfig":{}}`))
	if err != nil || empty.PodPidsLimit != -1 || empty.StreamingIdleSeconds != 4*3600 || empty.EventRecordQPS != 50 || !empty.IPTablesUtilChains {
		t.Errorf("defaults: %+v, %v", empty, err)
	}
	for _, bad := range []string{"", "{}", "[]", "nonsense"} {
		if _, err := ReadConfigz([]byte(bad)); err == nil {
			t.Errorf("%q is no configuration", bad)
		}
	}
}
