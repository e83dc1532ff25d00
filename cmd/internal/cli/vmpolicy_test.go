package cli

import (
	"log/slog"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner/facts"
)

// A machine is judged by policies of a registry, which is reached as the flags of the other commands say: here by a mirror.
func TestVMPolicyFromRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	content := bundle(t, func(files map[string]string) {
		cat, err := checks.Load(checks.BuiltIn())
		if err != nil {
			t.Fatal(err)
		}
		s, err := cat.Scaffold(facts.KindVM, "forbidden_host", false)
		if err != nil {
			t.Fatal(err)
		}
		clear(files)
		maps.Copy(files, s.Files)
	})
	pushBundle(t, host+"/team/machines:1", static.NewLayer(content, types.OCILayer))
	args := []string{"vm", "--packages=false", "--checks", "MY-VM-*", "--policy", "oci://registry.example/team/machines:1", "-o", "json"}
	if r := run(t, nil, append(args, "--mirror", "registry.example="+host)...); r.code != exitDone || !strings.Contains(r.stdout, "MY-VM-001") {
		t.Errorf("by the mirror: exit code %d: %s", r.code, r.stderr)
	}
	if r := run(t, nil, append(args, "--mirror", "registry.example")...); r.code != exitUsage || !strings.Contains(r.stderr, "REGISTRY=MIRROR") {
		t.Errorf("a mirror of nothing: exit code %d: %s", r.code, r.stderr)
	}
}
