package vm_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/facts"
)

// service is a metadata service on loopback that notes what it is asked.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serve(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// aws is the service of EC2; tokens says whether it wants one.
func aws(tokens bool) http.HandlerFunc {
	const token = "AQAEAIZ9l0abcdefghijklmnop=="
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			if r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") == "" {
				http.Error(w, "bad", http.StatusBadRequest)
				return
			}
			fmt.Fprint(w, token)
		case tokens && r.Header.Get("X-aws-ec2-metadata-token") != token:
			http.Error(w, "no", http.StatusUnauthorized)
		case r.URL.Path == "/latest/meta-data/":
			fmt.Fprint(w, "ami-id\ninstance-id\niam/\n")
		case r.URL.Path == "/latest/dynamic/instance-identity/document":
			fmt.Fprint(w, `{"instanceId":"i-0123456789abcdef0","accountId":"123456789012","region":"eu-west-1"}`)
		default:
			http.NotFound(w, r)
		}
	}
}

func gce(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata-Flavor") != "Google" {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	w.Header().Set("Metadata-Flavor", "Google")
	switch r.URL.Path {
	case "/computeMetadata/v1/instance/id":
		fmt.Fprint(w, "4520031799277581759")
	case "/computeMetadata/v1/project/project-id":
		fmt.Fprint(w, "shop-prod")
	case "/computeMetadata/v1/instance/zone":
		fmt.Fprint(w, "projects/123/zones/europe-west1-b")
	default:
		http.NotFound(w, r)
	}
}

func azure(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata") != "true" || r.Header.Get("X-Forwarded-For") != "" || r.URL.Query().Get("api-version") == "" || r.URL.Path != "/metadata/instance/compute" {
		http.Error(w, `{"error":"Bad request"}`, http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, `{"vmId":"02aab8a4-74ef-476e-8182-f6d2ba4166a6","subscriptionId":"8d10da13-8125-4ba9-a717-bf7490507b3d","location":"westeurope","osProfile":{"adminUsername":"x"}}`)
}

func openstack(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/openstack/":
		fmt.Fprint(w, "2012-08-10\n2018-08-27\nlatest\n")
	case "/latest/meta-data/": // it imitates EC2, without tokens
		fmt.Fprint(w, "ami-id\ninstance-id\n")
	default:
		http.NotFound(w, r)
	}
}

// ask scans a guest with the metadata service at an address.
func ask(t *testing.T, address string, timeout time.Duration) (*facts.VM, *facts.Resource) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return machine(t, vm.Options{Root: guest().write(t), NoPackages: true, IMDS: &vm.IMDS{URL: u, Timeout: timeout}})
}

func TestMetadataServices(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   facts.Metadata
		found  []string
	}{
		"aws with tokens": {aws(true), facts.Metadata{Provider: "aws", Token: true, Instance: "i-0123456789abcdef0", Account: "123456789012", Region: "eu-west-1", Unprivileged: "yes"}, []string{"PS-VM-008 ordinary accounts"}},
		"aws without": {
			aws(false), facts.Metadata{Provider: "aws", Token: true, Tokenless: true, Instance: "i-0123456789abcdef0", Account: "123456789012", Region: "eu-west-1", Unprivileged: "yes"},
			[]string{"PS-VM-008 tokenless", "PS-VM-008 ordinary accounts"},
		},
		"gce":       {gce, facts.Metadata{Provider: "gce", Header: true, Instance: "4520031799277581759", Account: "shop-prod", Region: "europe-west1-b", Unprivileged: "yes"}, []string{"PS-VM-008 ordinary accounts"}},
		"azure":     {azure, facts.Metadata{Provider: "azure", Header: true, Instance: "02aab8a4-74ef-476e-8182-f6d2ba4166a6", Account: "8d10da13-8125-4ba9-a717-bf7490507b3d", Region: "westeurope", Unprivileged: "yes"}, []string{"PS-VM-008 ordinary accounts"}},
		"openstack": {openstack, facts.Metadata{Provider: "openstack", Tokenless: true, Unprivileged: "yes"}, []string{"PS-VM-008 ordinary accounts"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.answer)
			doc, r := ask(t, s.URL, 10*time.Second)
			if doc.Metadata != tt.want {
				t.Errorf("got %+v\nwant %+v", doc.Metadata, tt.want)
			}
			expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-008"), tt.found)
			for _, a := range s.asked {
				for _, word := range []string{"iam", "security-credentials", "user-data", "service-accounts", "identity/oauth2", "meta_data.json", "password"} {
					if strings.Contains(a, word) && !strings.Contains(a, "instance-identity/document") {
						t.Errorf("it asked for %s", a)
					}
				}
			}
		})
	}
}

func TestMetadataServiceThatIsNone(t *testing.T) {
	elsewhere := serve(t, aws(false))
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 20 {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"something else": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello</html>") }, "none of AWS"},
		"one that yields": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
		}, "none of AWS"},
		"one without end": {endless, "longer than"},
		"one that breaks": {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "ask the metadata service"},
		"a forged identity": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				_, _ = io.WriteString(w, "short")
				return
			}
			_, _ = io.WriteString(w, `{"instanceId":"../../x","vmId":"a b\n"}`)
		}, "none of AWS"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.answer)
			doc, r := ask(t, s.URL, 10*time.Second)
			m, ok := r.MissingAt("metadata")
			if !ok || m.Status != facts.Unknown || !strings.Contains(m.Reason, tt.says) {
				t.Errorf("missing %+v, facts %+v", m, doc.Metadata)
			}
			if doc.Metadata.Provider != "" || doc.Metadata.Tokenless {
				t.Errorf("facts %+v", doc.Metadata)
			}
			expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-008"), []string{"PS-VM-008 unknown"})
		})
	}
	if len(elsewhere.asked) > 0 {
		t.Errorf("a redirect was followed: %v", elsewhere.asked)
	}
}

func TestMetadataServiceThatIsSlow(t *testing.T) {
	stop := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	defer close(stop)
	_, r := ask(t, s.URL, 50*time.Millisecond)
	if m, ok := r.MissingAt("metadata"); !ok || !strings.Contains(m.Reason, "did not answer within 50ms") {
		t.Errorf("missing %+v", r.Missing)
	}
}

// A machine that keeps the service for root, by a rule about the owner of sockets: here the service asks the kernel who owns the
// socket that calls, as such a rule does.
func TestMetadataServiceForRoot(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI must run as root")
		}
		t.Skip("SKIPPED: only root can ask as somebody else")
	}
	var mu sync.Mutex
	owners := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		owner := ownerOf(t, r.RemoteAddr)
		mu.Lock()
		owners[owner] = true
		mu.Unlock()
		if owner != "0" {
			panic(http.ErrAbortHandler)
		}
		aws(true)(w, r)
	})
	doc, r := ask(t, s.URL, 10*time.Second)
	mu.Lock()
	defer mu.Unlock()
	if doc.Metadata.Provider != "aws" || doc.Metadata.Unprivileged != "no" || !owners["0"] || !owners["65534"] {
		t.Errorf("facts %+v, asked by %v", doc.Metadata, owners)
	}
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-008"), nil)
}

// ownerOf is the account that owns the socket of a peer on loopback.
func ownerOf(t *testing.T, peer string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(peer)
	must(t, err)
	n, err := strconv.Atoi(port)
	must(t, err)
	data, err := os.ReadFile("/proc/net/tcp")
	must(t, err)
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 7 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
			return f[7]
		}
	}
	t.Errorf("no socket has the port %d", n)
	return ""
}

func TestNoMetadataService(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	address := "http://" + l.Addr().String()
	must(t, l.Close())
	doc, r := ask(t, address, 10*time.Second)
	if doc.Metadata.Provider != "none" {
		t.Errorf("facts %+v", doc.Metadata)
	}
	expect(t, verdicts(t, []*facts.Resource{r}, "PS-VM-008"), nil)
}
