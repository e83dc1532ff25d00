package report_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report"
)

// bigReport has 100,000 findings and as many packages.
func bigReport() *scanner.Report {
	r := mixedReport()
	tmpl := r.Findings[0]
	for i := range 100_000 {
		f := tmpl
		f.Fingerprint = scanner.Fingerprint("x", "y", "z", fmt.Sprint(i))
		f.Message = fmt.Sprintf("package %d 1.0 is vulnerable", i)
		v := *tmpl.Vulnerability
		v.ID, v.Package = fmt.Sprintf("CVE-2020-%05d", i%20_000), fmt.Sprintf("package-%d", i)
		v.Purl = "pkg:npm/" + v.Package + "@1.0"
		f.Vulnerability = &v
		r.Findings = append(r.Findings, f)
		r.Packages = append(r.Packages, scanner.PackageEntry{Target: f.Target, Resource: f.Resource.ID, Package: facts.Package{Type: "node-pkg", Name: v.Package, Version: "1.0", Purl: v.Purl, Path: v.Path}})
	}
	return r
}

// BenchmarkFormats writes a big report in each format. The goal is 5 s on two cores.
func BenchmarkFormats(b *testing.B) {
	r := bigReport()
	for _, format := range report.Formats() {
		b.Run(format.Name, func(b *testing.B) {
			b.ReportAllocs()
			var n countBytes
			for b.Loop() {
				n = 0
				if err := format.Write(&n, r, report.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/1e6, "MB-written")
		})
	}
}

// BenchmarkConvert reads a big report from a file and writes it, as report
// convert does. The goal is 500 MiB: peak-MiB is the most that the Go runtime held
// of the system's memory, looked at every 2 ms.
func BenchmarkConvert(b *testing.B) {
	file := filepath.Join(b.TempDir(), "report.json")
	writeBig(b, file)
	for _, format := range report.Formats() {
		b.Run(format.Name, func(b *testing.B) {
			var peak uint64
			var reading time.Duration
			for b.Loop() {
				debug.FreeOSMemory()
				most := watchMemory(func() {
					start := time.Now()
					r := readBig(b, file)
					reading += time.Since(start)
					if err := format.Write(io.Discard, r, report.Options{}); err != nil {
						b.Fatal(err)
					}
				})
				peak = max(peak, most)
			}
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			b.ReportMetric(reading.Seconds()/float64(b.N), "s-reading")
		})
	}
}

func writeBig(b *testing.B, file string) {
	b.Helper()
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	if err := report.JSON(f, bigReport(), report.Options{}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func readBig(b *testing.B, file string) *scanner.Report {
	b.Helper()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	r, err := report.Read(f)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// watchMemory runs work and returns the most bytes that the Go runtime held.
func watchMemory(work func()) uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		var peak uint64
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64()-sample[1].Value.Uint64())
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	work()
	close(stop)
	return <-most
}

type countBytes int

func (c *countBytes) Write(p []byte) (int, error) { *c += countBytes(len(p)); return len(p), nil }
