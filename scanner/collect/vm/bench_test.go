package vm_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postscan/postscan/scanner/collect/vm"
	"github.com/postscan/postscan/scanner/inventory"
)

// benchRoot is the tree that the benchmarks walk: POSTSCAN_BENCH_ROOT, or a guest
// with 40,000 files of which 1,000 are programs.
func benchRoot(b *testing.B) string {
	b.Helper()
	if root := os.Getenv("POSTSCAN_BENCH_ROOT"); root != "" {
		return root
	}
	tree := guest()
	var installed []string
	for i := range 600 {
		installed = append(installed, fmt.Sprintf("package-%d 1.%d-1", i, i))
		tree[fmt.Sprintf("var/lib/dpkg/info/package-%d.list", i)] = "/usr/share/x\n"
	}
	tree["var/lib/dpkg/status"] = dpkg(installed...)
	for i := range 1000 {
		tree[fmt.Sprintf("usr/bin/program-%d", i)] = "0755|\x7fELF" + strings.Repeat("\x00", 16000)
	}
	for i := range 38000 {
		tree[fmt.Sprintf("usr/share/doc/%d/%d", i/40, i)] = "text\n"
	}
	return tree.write(b)
}

// BenchmarkBareWalk is what any walk of the file system costs: every folder read,
// every file's mode asked for.
func BenchmarkBareWalk(b *testing.B) {
	root := benchRoot(b)
	for b.Loop() {
		files := 0
		err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return fs.SkipDir
			}
			if _, err := d.Info(); err == nil {
				files++
			}
			return nil
		})
		must(b, err)
		b.ReportMetric(float64(files), "files")
	}
}

// BenchmarkPackages is a whole scan with packages; vulnerabilities are left out.
func BenchmarkPackages(b *testing.B) {
	root := benchRoot(b)
	for b.Loop() {
		doc, _ := machine(b, vm.Options{Root: root, Inventory: inventory.Options{}})
		b.ReportMetric(float64(len(doc.Packages)), "packages")
	}
}

// BenchmarkWithoutPackages is a scan of this machine without the walk.
func BenchmarkWithoutPackages(b *testing.B) {
	for b.Loop() {
		machine(b, vm.Options{NoPackages: true})
	}
}
