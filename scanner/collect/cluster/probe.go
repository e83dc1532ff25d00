package cluster

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/postscan/postscan/scanner/facts"
)

// anonymousPaths are asked for without credentials. All are harmless to read.
var anonymousPaths = []string{"/healthz", "/livez", "/readyz", "/version", "/api", "/apis"}

// pathsBeyondHealth are /version, /api and /apis.
const pathsBeyondHealth = 3

// anonymous asks the server what it shows to a caller without credentials.
func (s *session) anonymous(ctx context.Context) {
	s.info.Anonymous = facts.AnonymousAccess{Enabled: "unknown", Paths: []string{}}
	config := rest.AnonymousClientConfig(s.config)
	config.Timeout = 10 * time.Second
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		s.info.Missing["anonymous.enabled"] = missing("the server without credentials", err)
		return
	}
	base := strings.TrimSuffix(config.Host, "/")
	if !strings.Contains(base, "://") {
		base = "https://" + base
	}
	var last error
	asked := 0 // paths beyond health that asked for credentials
	for _, p := range anonymousPaths {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+p, nil)
		if err != nil {
			last = err
			break
		}
		resp, err := client.Do(req)
		if err != nil {
			last = err
			break
		}
		_ = resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK:
			s.info.Anonymous.Enabled = "true"
			s.info.Anonymous.Paths = append(s.info.Anonymous.Paths, p)
		case http.StatusForbidden: // the server took the caller for system:anonymous
			s.info.Anonymous.Enabled = "true"
		case http.StatusUnauthorized:
			if s.info.Anonymous.Enabled == "unknown" {
				s.info.Anonymous.Enabled = "false"
			}
			if !facts.OnlyHealth([]string{p}) {
				asked++
			}
		}
	}
	// A server that takes everybody answers 403 or 200 beyond health; one that
	// lets only health checks in answers 401 there, everywhere.
	s.info.Anonymous.Limited = s.info.Anonymous.Enabled == "true" && asked == pathsBeyondHealth
	if s.info.Anonymous.Enabled == "unknown" {
		if last == nil {
			last = errors.New("every answer was one that tells nothing")
		}
		s.info.Missing["anonymous.enabled"] = missing("the server without credentials", last)
	}
}

// kubelets reads the configuration of every kubelet through the API server.
func (s *session) kubelets(ctx context.Context) {
	names := s.set.NodeNames()
	queue := make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range queue {
				k, err := s.kubelet(ctx, n)
				s.mu.Lock()
				if err == nil {
					s.set.AddKubelet(n, k)
				} else {
					s.set.MissKubelet(n, kubeletMissing(err))
				}
				s.mu.Unlock()
			}
		})
	}
	for _, n := range names {
		queue <- n
	}
	close(queue)
	wg.Wait()
}

// kubeletMissing says why a kubelet's configuration was not read.
func kubeletMissing(err error) facts.Missing {
	if apierrors.IsForbidden(err) {
		return facts.Missing{Status: facts.Unknown, Reason: "the credentials may not read the kubelet's configuration; grant get on nodes/proxy (see docs/deploy)"}
	}
	return missing("the kubelet's configuration", err)
}

// kubelet reads one kubelet's configuration.
func (s *session) kubelet(ctx context.Context, name string) (facts.Kubelet, error) {
	var raw []byte
	err := s.retry(ctx, "configz", func(ctx context.Context) (err error) {
		raw, err = s.typed.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + name + "/proxy/configz").DoRaw(ctx)
		return err
	})
	if err != nil {
		return facts.Kubelet{}, err
	}
	return facts.ReadConfigz(raw)
}
