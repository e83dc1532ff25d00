package cluster_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/discovery"

	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
)

// partsDown are an add-on whose conversion webhook is down, so that its objects
// cannot be listed, and an aggregated API whose server is down, so that it cannot
// even say what it offers.
const partsDown = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: peerauthentications.security.istio.io}
spec:
  group: security.istio.io
  scope: Namespaced
  names: {kind: PeerAuthentication, plural: peerauthentications, singular: peerauthentication}
  versions:
  - {name: v1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v1beta1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: 'https://127.0.0.1:1/convert'}}}
---
apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.route.openshift.io}
spec: {group: route.openshift.io, version: v1, groupPriorityMinimum: 1000, versionPriority: 10, insecureSkipTLSVerify: true, service: {namespace: shop, name: web}}
`

// What a part of the server cannot answer makes exactly what depends on it
// unknown; a server that has too much to do, or sends half an answer, is asked again.
func TestPartsOfTheServerDown(t *testing.T) {
	s := clustertest.Start(t, nil)
	apply(t, s.Config, strings.TrimPrefix(shop, "\n"))
	t.Run("too many requests", func(t *testing.T) { testTooMany(t, s) })
	t.Run("half an answer", func(t *testing.T) { testHalfAnswer(t, s) })
	t.Run("hangs after the headers", func(t *testing.T) { testHangsInBody(t, s) })
	apply(t, s.Config, partsDown)
	untilDark(t, s, "route.openshift.io")
	g := collect(t, s.Config, "", cluster.Options{NoAnonymous: true})
	unknown := map[string]bool{}
	const routes = "route.openshift.io"
	why := map[string]string{"mesh": "conversion webhook", "exposures": routes, "ingress_controller.snippet_users": routes, "objects": routes, "nodes": ""}
	for id, r := range g.resources {
		for path, m := range r.Missing {
			if m.Status != facts.Unknown || id == "(ingresses that were not seen)" {
				continue
			}
			unknown[path] = true
			if want, ok := why[path]; !ok || !strings.Contains(m.Reason, want) {
				t.Errorf("%s of %s is unknown: %s", path, id, m.Reason)
			}
		}
	}
	if !unknown["mesh"] || !unknown["exposures"] {
		t.Errorf("unknown are %v", unknown)
	}
}

// untilDark waits until discovery tells that a group does not answer: the server
// takes a new APIService up a little later.
func untilDark(t *testing.T, s *clustertest.Server, group string) {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		_, err = client.ServerPreferredResources()
		var some *discovery.ErrGroupDiscoveryFailed
		if errors.As(err, &some) {
			for gv := range some.Groups {
				if gv.Group == group {
					return
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("discovery does not tell that %s is down: %v", group, err)
}

// The server says when to come back.
func testTooMany(t *testing.T, s *clustertest.Server) {
	var asked atomic.Int32
	config := through(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v1/services" || asked.Add(1) > 2 {
			return false
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	begin := time.Now()
	g := collect(t, config, "", cluster.Options{NoAnonymous: true})
	if g.resources["shop/Service/web"] == nil || asked.Load() < 3 || time.Since(begin) < 2*time.Second {
		t.Errorf("services were asked for %d times in %s", asked.Load(), time.Since(begin))
	}
}

// The connection breaks in the middle of a page.
func testHalfAnswer(t *testing.T, s *clustertest.Server) {
	var asked atomic.Int32
	config := through(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/apis/apps/v1/deployments" || asked.Add(1) > 1 {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"kind":"DeploymentList",`)
		return true // less than was announced: the server closes the connection
	})
	g := collect(t, config, "", cluster.Options{NoAnonymous: true})
	if g.resources["shop/Deployment/web"] == nil || asked.Load() < 2 {
		t.Errorf("deployments were asked for %d times", asked.Load())
	}
}

// The time-out ends a request whose answer has begun.
func testHangsInBody(t *testing.T, s *clustertest.Server) {
	config := through(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/apis/apps/v1/deployments" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind":"DeploymentList",`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	g := collect(t, config, "", cluster.Options{NoAnonymous: true, Timeout: 5 * time.Second})
	r := g.resources["Namespace/shop"]
	if r == nil {
		t.Fatal("what was listed before the time-out is not reported")
	}
	if m := r.Missing["workloads"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "time-out") {
		t.Errorf("workloads: %+v", m)
	}
}
