package cluster_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/cluster"
	"github.com/postscan/postscan/scanner/collect/cluster/clustertest"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/isolation"
	"github.com/postscan/postscan/scanner/regoeval"
	"github.com/postscan/postscan/scanner/report"
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
	before := cpu(b)
	defer func() { b.ReportMetric((cpu(b)-before).Seconds()*1000/float64(b.N), "cpu-ms") }()
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

// BenchmarkScan is the whole scan: collecting, judging by every check of
// Kubernetes that there is, and writing the report as JSON; next to the bare paged
// listing of the same pods. cpu-ms is processor time of this process, for one run.
func BenchmarkScan(b *testing.B) {
	for _, c := range []struct{ pods, deployments int }{{1000, 0}, {10000, 0}, {22000, 0}, {22000, 1100}} {
		name := fmt.Sprintf("pods=%d/distinct", c.pods)
		if c.deployments > 0 {
			name = fmt.Sprintf("pods=%d/deployments=%d", c.pods, c.deployments)
		}
		b.Run(name, func(b *testing.B) {
			s := clustertest.Start(b, nil)
			s.Load(b, "-pods", strconv.Itoa(c.pods), "-deployments", strconv.Itoa(c.deployments), "-roles", "2000")
			b.Run("warm", func(b *testing.B) { benchListing(b, s, c.pods) }) // the server's caches are cold before
			b.Run("listing", func(b *testing.B) { benchListing(b, s, c.pods) })
			b.Run("scanning", func(b *testing.B) { benchScanning(b, s) })
		})
	}
}

func benchScanning(b *testing.B, s *clustertest.Server) {
	catalogue, err := checks.Load(checks.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	var selected []*checks.Check
	for _, c := range catalogue.All() {
		if c.Subject != facts.KindImage && c.Subject != facts.KindVM && c.Subject != facts.KindEngine && c.Subject != facts.KindContainer {
			selected = append(selected, c)
		}
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(320 << 20)) // as the program does
	now := time.Now()
	peak := watchHeap(b)
	before := cpu(b)
	findings, size := 0, int64(0)
	for b.Loop() {
		eval, err := regoeval.New(b.Context(), catalogue, selected, regoeval.Options{Now: now})
		if err != nil {
			b.Fatal(err)
		}
		policy, err := isolation.PolicyOf(eval.Params())
		if err != nil {
			b.Fatal(err)
		}
		scored := isolation.NewEvaluator(eval, policy)
		collector := cluster.New(&cluster.Connection{Config: s.Config, Context: "bench"}, cluster.Options{NoAnonymous: true, Now: now})
		rep, err := scanner.Scan(b.Context(), collector, scored, scanner.Options{Now: time.Now, Collected: now, Parts: []func(*scanner.Report){scored.Report}})
		if err != nil {
			b.Fatal(err)
		}
		var out counted
		if err := report.JSON(&out, rep, report.Options{}); err != nil {
			b.Fatal(err)
		}
		findings, size = len(rep.Findings), int64(out)
	}
	b.ReportMetric((cpu(b)-before).Seconds()*1000/float64(b.N), "cpu-ms")
	peak()
	b.ReportMetric(float64(findings), "findings")
	b.ReportMetric(float64(size)/(1<<20), "MiB-report")
}

// counted is a writer that counts.
type counted int64

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

// cpu is the processor time of this process until now.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
