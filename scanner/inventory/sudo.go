package inventory

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// sudoFile is a file of rules of sudo or doas.
type sudoFile struct {
	Path  string     `json:"path"`
	Rules []sudoRule `json:"rules,omitempty"`
	// Aliases gives the members of User_Alias names.
	Aliases map[string][]string `json:"aliases,omitempty"`
	// Trusting is true where Defaults switch the question for a password off.
	Trusting bool `json:"trusting,omitempty"`
}

type sudoRule struct {
	Line       int    `json:"line"`
	Subject    string `json:"subject"`
	NoPassword bool   `json:"no_password,omitempty"`
}

// sudoReader returns the reader of a file of rules, nil for any other. sudo leaves
// files of its directory out whose names have a dot or end with "~".
func (s *LayerScan) sudoReader(p string) func(string, []byte) error {
	dir, base := path.Split(p)
	switch {
	case p == "etc/sudoers", p == "usr/local/etc/sudoers",
		dir == "etc/sudoers.d/" && !strings.Contains(base, ".") && !strings.HasSuffix(base, "~"):
		return s.addSudoers
	case p == "etc/doas.conf", p == "usr/local/etc/doas.conf", dir == "etc/doas.d/" && strings.HasSuffix(base, ".conf"):
		return s.addDoas
	default:
		return nil
	}
}

// logicalLines yields lines with what a backslash continues, and their numbers.
func logicalLines(data []byte) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		number, start := 0, 0
		var held strings.Builder
		for line := range bytes.Lines(data) {
			number++
			text := strings.TrimRight(string(line), "\r\n")
			if held.Len() == 0 {
				start = number
			}
			if rest, more := strings.CutSuffix(text, "\\"); more && held.Len() < 64<<10 {
				held.WriteString(rest)
				held.WriteByte(' ')
				continue
			}
			held.WriteString(text)
			if !yield(start, held.String()) {
				return
			}
			held.Reset()
		}
		if held.Len() > 0 {
			yield(start, held.String())
		}
	}
}

// addSudoers reads sudoers(5) as far as it says who may become somebody else, and
// whether without a password.
func (s *LayerScan) addSudoers(p string, data []byte) error {
	f := sudoFile{Path: p}
	for number, line := range logicalLines(data) {
		f.addSudoersLine(number, line)
	}
	s.addSudo(f)
	return nil
}

func (f *sudoFile) addSudoersLine(number int, line string) {
	line = strings.TrimSpace(line)
	if i := commentAt(line); i >= 0 {
		line = strings.TrimSpace(line[:i])
	}
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "" || strings.HasPrefix(line, "@"):
	case strings.HasPrefix(word, "Defaults"):
		if strings.Contains(rest, "!authenticate") {
			f.Trusting = true
		}
	case word == "User_Alias":
		for def := range strings.SplitSeq(rest, ":") {
			if name, members, ok := strings.Cut(def, "="); ok {
				if f.Aliases == nil {
					f.Aliases = map[string][]string{}
				}
				f.Aliases[oneLine(name)] = splitList(members)
			}
		}
	case word == "Runas_Alias" || word == "Host_Alias" || word == "Cmnd_Alias" || word == "Cmd_Alias":
	default:
		who, what, ok := strings.Cut(line, "=")
		if !ok {
			return
		}
		// "who host = ...": the host is the last word on the left, and lists may
		// have spaces behind their commas.
		words := strings.Fields(strings.ReplaceAll(who, ", ", ","))
		if len(words) < 2 {
			return
		}
		for _, subject := range splitList(strings.Join(words[:len(words)-1], "")) {
			f.Rules = append(f.Rules, sudoRule{Line: number, Subject: oneLine(subject), NoPassword: strings.Contains(what, "NOPASSWD:")})
		}
	}
}

// commentAt finds where a comment starts, -1 for none. "#1000" is a user by number,
// and "%#1000" a group.
func commentAt(line string) int {
	for i := range len(line) {
		if line[i] == '#' && !(i+1 < len(line) && line[i+1] >= '0' && line[i+1] <= '9') {
			return i
		}
	}
	return -1
}

func splitList(s string) []string {
	var out []string
	for one := range strings.SplitSeq(s, ",") {
		if one = oneLine(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// addDoas reads doas.conf(5): "permit [options] identity [as target] ...".
func (s *LayerScan) addDoas(p string, data []byte) error {
	f := sudoFile{Path: p}
	for number, line := range logicalLines(data) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "permit" {
			continue
		}
		r := sudoRule{Line: number}
		inEnv := false
		for _, w := range words[1:] {
			switch {
			case inEnv:
				inEnv = !strings.Contains(w, "}")
			case w == "nopass":
				r.NoPassword = true
			case w == "persist" || w == "keepenv" || w == "nolog":
			case strings.HasPrefix(w, "setenv"):
				inEnv = !strings.Contains(w, "}")
			case strings.HasPrefix(w, "{"):
				inEnv = !strings.Contains(w, "}")
			case r.Subject == "":
				r.Subject = oneLine(w)
				if name, ok := strings.CutPrefix(w, ":"); ok {
					r.Subject = "%" + oneLine(name)
				}
			}
		}
		if r.Subject != "" {
			f.Rules = append(f.Rules, r)
		}
	}
	s.addSudo(f)
	return nil
}

func (s *LayerScan) addSudo(f sudoFile) {
	s.note(f.Path)
	s.layer.Sudo = append(s.layer.Sudo, f)
}

// mergeSudo lists the rules and says which apply to the runtime user.
func (m *merger) mergeSudo(context.Context) error {
	aliases := map[string][]string{}
	trusting := false
	each := func(visit func(name string, layer int, f *sudoFile)) {
		for i, l := range m.layers {
			for k := range l.Sudo {
				if name, ok := m.nameOf(l.Sudo[k].Path, i); ok {
					visit(name, i, &l.Sudo[k])
				}
			}
		}
	}
	each(func(_ string, _ int, f *sudoFile) {
		trusting = trusting || f.Trusting
		for name, members := range f.Aliases {
			aliases[name] = members
		}
	})
	each(func(name string, layer int, f *sudoFile) {
		for _, r := range f.Rules {
			subjects := []string{r.Subject}
			if members, ok := aliases[r.Subject]; ok {
				subjects = members
			}
			for _, subject := range subjects {
				m.inv.SudoRules = append(m.inv.SudoRules, facts.SudoRule{
					Path: name, Line: r.Line, Subject: subject, NoPassword: r.NoPassword || trusting && !strings.Contains(name, "doas"),
					Runtime: m.isRuntime(subject), Layer: layer,
				})
			}
		}
	})
	slices.SortStableFunc(m.inv.SudoRules, func(a, b facts.SudoRule) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Subject, b.Subject))
	})
	return nil
}

// isRuntime says whether a subject of sudo means the runtime user: a name, "#uid",
// "%group", "%#gid" or ALL.
func (m *merger) isRuntime(subject string) bool {
	if strings.HasPrefix(subject, "!") {
		return false
	}
	if group, ok := strings.CutPrefix(subject, "%"); ok {
		for _, g := range m.groups {
			if (g.Name == group || "#"+itoa(g.GID) == group) && m.who.groups[g.GID] {
				return true
			}
		}
		return false
	}
	return subject == "ALL" || subject != "" && subject == m.who.name || subject == "#"+itoa(m.who.uid)
}
