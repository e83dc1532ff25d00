package cluster_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
)

// BenchmarkCollect loads pods straight into etcd and collects, next to the bare
// paged listing of the same pods. Both report the peak of the heap.
func BenchmarkCollect(b *testing.B) {
	for _, c := range []struct{ pods, deployments int }{{1000, 0}, {10000, 0}, {22000, 0}, {22000, 1100}} {
		name := fmt.Sprintf("pods=%d/distinct", c.pods)
		if c.deployments > 0 {
			name = fmt.Sprintf("pods=%d/deployments=%d", c.pods, c.deployments)
		}
		b.Run(name, func(b *testing.B) {
			s := clustertest.Start(b, nil)
			s.Load(b, "-pods", strconv.Itoa(c.pods), "-deployments", strconv.Itoa(c.deployments), "-roles", "2000")
			b.Run("listing", func(b *testing.B) { benchListing(b, s, c.pods) })
			b.Run("collecting", func(b *testing.B) { benchCollecting(b, s) })
		})
	}
}

func benchListing(b *testing.B, s *clustertest.Server, want int) {
	config := rest.CopyConfig(s.Config)
	config.ContentType, config.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	peak := watchHeap(b)
	for b.Loop() {
		n := 0
		opts := metav1.ListOptions{Limit: 500}
		for {
			page, err := client.CoreV1().Pods("").List(b.Context(), opts)
			if err != nil {
				b.Fatal(err)
			}
			n += len(page.Items)
			if opts.Continue = page.Continue; opts.Continue == "" {
				break
			}
		}
		if n != want {
			b.Fatalf("%d pods, want %d", n, want)
		}
	}
	peak()
}

// counting is a sink that drops everything.
type counting struct{ workloads, all atomic.Int64 }

func (c *counting) Target(facts.Target) error { return nil }
func (c *counting) Source(facts.Source) error { return nil }
func (c *counting) Resource(_ context.Context, r *facts.Resource) error {
	c.all.Add(1)
	if r.Kind == facts.KindWorkload {
		c.workloads.Add(1)
	}
	return nil
}

func benchCollecting(b *testing.B, s *clustertest.Server) {
	peak := watchHeap(b)
	var sink counting
	for b.Loop() {
		sink.workloads.Store(0)
		err := cluster.New(&cluster.Connection{Config: s.Config, Context: "bench"}, cluster.Options{NoAnonymous: true, Now: time.Now()}).Collect(b.Context(), &sink)
		if err != nil {
			b.Fatal(err)
		}
	}
	peak()
	b.ReportMetric(float64(sink.workloads.Load()), "workloads")
}

// watchHeap samples the heap until the returned function reports its peak.
func watchHeap(b *testing.B) func() {
	runtime.GC()
	stop, done := make(chan struct{}), make(chan struct{})
	var peak uint64
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}
	}()
	return func() {
		close(stop)
		<-done
		b.ReportMetric(float64(peak)/(1<<20), "MiB-peak-heap")
	}
}
