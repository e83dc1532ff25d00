package vm

import (
	"maps"
	"path"
	"slices"
	"strings"
)

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// systemd says whether the machine is started by systemd.
func (s *scan) systemd() bool {
	return s.t.exists("usr/lib/systemd/systemd") || s.t.exists("lib/systemd/systemd")
}

// startup finds what the machine starts: units of systemd that are enabled by a
// link, services of OpenRC, and the programs that run.
func (s *scan) startup() {
	s.units = map[string]string{}
	own, _ := s.t.list("etc/systemd/system") // without it nothing is masked
	for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system", "run/systemd/generator"} {
		names, err := s.t.list(dir)
		if err != nil {
			continue
		}
		for _, name := range names {
			if !strings.HasSuffix(name, ".wants") && !strings.HasSuffix(name, ".requires") {
				continue
			}
			for _, link := range s.t.below(path.Join(dir, name), func(string) bool { return true }) {
				unit := path.Base(link)
				_, written := slices.BinarySearch(own, unit)
				if !written || s.t.readlink(path.Join("etc/systemd/system", unit)) != "/dev/null" { // masked
					s.units[unit] = link
				}
			}
		}
	}
	for _, level := range []string{"default", "boot", "sysinit"} { // OpenRC
		for _, link := range s.t.below(path.Join("etc/runlevels", level), func(string) bool { return true }) {
			s.units[path.Base(link)+".service"] = link
		}
	}
	s.running = map[string][]string{}
	if s.live {
		for _, pid := range s.processes() {
			if name := s.t.line(path.Join("proc", pid, "comm")); name != "" {
				s.running[name] = append(s.running[name], pid)
			}
		}
	}
}

// processes are the numbers below /proc.
func (s *scan) processes() []string {
	names, err := s.t.list("proc")
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || strings.Trim(n, "0123456789") != "" })
}

// enabled returns the link that makes the machine start one of the units.
func (s *scan) enabled(units ...string) (string, bool) {
	for _, u := range units {
		if link, ok := s.units[u]; ok {
			return link, true
		}
	}
	return "", false
}

// runs says whether a program of one of the names runs. The kernel cuts names
// after 15 bytes.
func (s *scan) runs(names ...string) bool {
	for _, n := range names {
		if len(s.running[n[:min(len(n), 15)]]) > 0 {
			return true
		}
	}
	return false
}
