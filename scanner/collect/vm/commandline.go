package vm

import (
	"os"
	"path"
	"slices"
	"strings"
)

// commandLine is how the machine starts one program.
type commandLine struct {
	args []string    // without the program itself
	env  [][2]string // variables that a unit sets, name and value
	file string      // where it was read: "/proc/412/cmdline", a unit, a file of arguments
	// container is true where the program runs in one, so that paths among its
	// arguments are not the machine's.
	container bool
}

// commandLine finds how a program is started: by the process that runs, else by
// the first of the units of systemd that is there, else by a file of arguments,
// one on each line, as MicroK8s keeps them.
func (s *scan) commandLine(program string, units ...string) (commandLine, bool) {
	for _, pid := range s.running[program[:min(len(program), 15)]] {
		if c, ok := s.processLine(pid, program); ok {
			return c, true
		}
	}
	for _, unit := range units {
		if c, ok := s.unitLine(unit); ok {
			return c, true
		}
	}
	return s.snapLine(program)
}

// processLine reads the command line of a process, if it is the program's.
func (s *scan) processLine(pid, program string) (commandLine, bool) {
	file := path.Join("proc", pid, "cmdline")
	data, err := s.t.read(file)
	if err != nil || len(data) == 0 {
		return commandLine{}, false
	}
	words := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	if title, ok := strings.CutPrefix(words[0], program+": "); ok { // sshd writes over it what it does
		words = strings.Fields(title)
		if i := slices.Index(words, "[listener]"); i >= 0 {
			words = words[:i]
		}
	}
	if len(words) == 0 || path.Base(words[0]) != program {
		return commandLine{}, false
	}
	group, _ := s.t.read(path.Join("proc", pid, "cgroup")) // without one it is taken for the machine's own
	return commandLine{args: words[1:], file: absolute(file), container: cgroupEngine(string(group)) != ""}, true
}

// unitDirs are where units of systemd lie, those that win first.
func unitDirs() []string {
	return []string{"etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"}
}

// unitLine reads a unit and its drop-ins.
func (s *scan) unitLine(unit string) (commandLine, bool) {
	for _, dir := range unitDirs() {
		name := path.Join(dir, unit)
		if data, err := s.t.read(name); err == nil {
			c := s.execStart(unit, string(data))
			c.file = absolute(name)
			return c, true
		}
	}
	return commandLine{}, false
}

// execStart is ExecStart of a unit and its drop-ins, with the variables that they set.
func (s *scan) execStart(unit, text string) commandLine {
	texts := []string{text}
	dirs := unitDirs()
	slices.Reverse(dirs)
	for _, dir := range dirs {
		for _, name := range s.t.below(path.Join(dir, unit+".d"), func(n string) bool { return strings.HasSuffix(n, ".conf") }) {
			if data, err := s.t.read(name); err == nil {
				texts = append(texts, string(data))
			}
		}
	}
	start, variables := "", map[string]string{}
	for _, text := range texts {
		for _, line := range unitLines(text) {
			key, value, _ := strings.Cut(line, "=")
			switch strings.TrimSpace(key) {
			case "ExecStart":
				start = strings.TrimSpace(value) // an empty one resets, the last one counts
			case "Environment":
				for _, w := range splitQuoted(value) {
					name, v, _ := strings.Cut(w, "=")
					variables[name] = v
				}
			case "EnvironmentFile":
				data, err := s.t.read(strings.TrimPrefix(strings.TrimSpace(value), "-"))
				if err != nil {
					continue
				}
				for l := range strings.Lines(string(data)) {
					name, v, ok := strings.Cut(strings.TrimSpace(l), "=")
					if ok && !strings.HasPrefix(name, "#") {
						variables[name] = strings.Trim(v, `"'`)
					}
				}
			}
		}
	}
	c := commandLine{args: []string{}}
	for _, name := range sorted(variables) {
		c.env = append(c.env, [2]string{name, variables[name]})
	}
	for i, w := range splitQuoted(start) {
		switch name, ok := strings.CutPrefix(w, "$"); {
		case i == 0:
		case ok && strings.Trim(name, "{}") != "" && !strings.ContainsAny(strings.Trim(name, "{}"), "${}"):
			c.args = append(c.args, splitQuoted(variables[strings.Trim(name, "{}")])...)
		default:
			c.args = append(c.args, os.Expand(w, func(name string) string { return variables[name] }))
		}
	}
	return c
}

// unitLines are the lines of a unit that say something; one that ends with a
// backslash is joined with the next.
func unitLines(text string) []string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != ';' {
			out = append(out, line)
		}
	}
	return out
}

// microK8s is the data of MicroK8s, which keeps everything of a node there.
const microK8s = "var/snap/microk8s/current"

// snapLine reads the arguments that MicroK8s gives to one of the programs in kubelite.
func (s *scan) snapLine(program string) (commandLine, bool) {
	file := path.Join(microK8s, "args", program)
	data, err := s.t.read(file)
	if err != nil {
		return commandLine{}, false
	}
	c := commandLine{args: []string{}, file: absolute(file)}
	variables := map[string]string{"SNAP_DATA": absolute(microK8s), "SNAP_COMMON": "/var/snap/microk8s/common", "SNAP": "/snap/microk8s/current"}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			for _, w := range splitQuoted(line) {
				c.args = append(c.args, os.Expand(w, func(name string) string { return variables[name] }))
			}
		}
	}
	return c, true
}
