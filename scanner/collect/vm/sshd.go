package vm

import (
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// ssh reads the configuration of sshd as sshd does for a connection of which
// nothing is known: options of the command line come first, then the first value
// of a keyword counts, Include puts files in, and a Match block that covers every
// connection overrides both. A block that covers some of them is looked at for
// what it weakens.
func (s *scan) ssh() {
	c := &s.doc.SSH
	for _, p := range []string{"usr/sbin/sshd", "usr/bin/sshd", "usr/local/sbin/sshd"} {
		if s.t.exists(p) {
			c.Installed = true
			s.at("ssh.installed", p)
		}
	}
	link, enabled := s.enabled("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
	c.Enabled = enabled || s.runs("sshd")
	if enabled {
		s.at("ssh.enabled", link)
	}
	c.Installed = c.Installed || c.Enabled
	if !c.Installed {
		return
	}
	main := "etc/ssh/sshd_config"
	if !s.t.exists(main) && s.t.exists("usr/etc/ssh/sshd_config") { // SUSE
		main = "usr/etc/ssh/sshd_config"
	}
	conf := newSSHDConfig(s.t.read, s.glob)
	if line, ok := s.commandLine("sshd", "ssh.service", "sshd.service", "ssh@.service", "sshd@.service"); ok {
		if file := conf.options(line); file != "" {
			main = file
		}
	}
	conf.file(main, 0, always)
	if len(conf.problems) > 0 { // a file that cannot be read may say anything
		for _, problem := range conf.problems {
			s.unknown("ssh", problem)
		}
		return
	}
	c.MatchBlocks, c.MatchWeakens = conf.matches, conf.weakens
	yes := func(keyword, otherwise string) bool { return conf.value(keyword, otherwise) != "no" }
	c.PasswordAuthentication = yes("passwordauthentication", "yes")
	c.KeyboardInteractive = yes("kbdinteractiveauthentication", "yes")
	c.PermitEmptyPasswords = yes("permitemptypasswords", "no")
	c.PubkeyAuthentication = yes("pubkeyauthentication", "yes")
	c.HostbasedAuthentication = yes("hostbasedauthentication", "no")
	c.AuthenticationMethods = conf.value("authenticationmethods", "any")
	c.PermitRootLogin = conf.value("permitrootlogin", "prohibit-password")
	if c.PermitRootLogin == "without-password" { // the old name
		c.PermitRootLogin = "prohibit-password"
	}
	for field, keyword := range map[string]string{
		"password_authentication": "passwordauthentication", "keyboard_interactive": "kbdinteractiveauthentication", "permit_root_login": "permitrootlogin",
		"permit_empty_passwords": "permitemptypasswords", "hostbased_authentication": "hostbasedauthentication", "match_weakens": "match",
	} {
		s.places["ssh."+field] = facts.Origin{File: absolute(main)}
		if at, ok := conf.places[keyword]; ok {
			s.places["ssh."+field] = at
		}
	}
	s.rootKeys(conf.value("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"))
}

// glob expands a pattern of Include.
func (s *scan) glob(pattern string) []string {
	dir, base := path.Split(pattern)
	if !strings.ContainsAny(base, "*?[") {
		return []string{pattern}
	}
	return s.t.below(dir, func(name string) bool {
		ok, err := path.Match(base, name)
		return err == nil && ok
	})
}

// sshdConfig gathers what the command line and configuration files say.
type sshdConfig struct {
	values   map[string]string // outside of Match
	matched  map[string]string // in Match blocks that cover every connection, which override values
	places   map[string]facts.Origin
	matches  int // blocks that cover some connections
	weakens  bool
	problems []string
	read     func(string) ([]byte, error)
	glob     func(string) []string
}

func newSSHDConfig(read func(string) ([]byte, error), glob func(string) []string) *sshdConfig {
	return &sshdConfig{values: map[string]string{}, matched: map[string]string{}, places: map[string]facts.Origin{}, read: read, glob: glob}
}

func (c *sshdConfig) value(keyword, otherwise string) string {
	for _, from := range []map[string]string{c.matched, c.values} {
		if v, ok := from[keyword]; ok {
			return v
		}
	}
	return otherwise
}

// options takes the options of the command line, and returns the configuration
// file that it names; "" for the usual one.
func (c *sshdConfig) options(line commandLine) (file string) {
	for i := 0; i < len(line.args); i++ {
		arg := line.args[i]
		if len(arg) < 2 || arg[0] != '-' || !strings.ContainsRune("of", rune(arg[1])) {
			continue
		}
		value := arg[2:]
		if value == "" && i+1 < len(line.args) {
			i++
			value = line.args[i]
		}
		if arg[1] == 'f' {
			file = value
			continue
		}
		if keyword, v := sshdLine(value); keyword != "" {
			c.set(c.values, keyword, v, facts.Origin{File: line.file})
		}
	}
	return file
}

// set keeps the first value of a keyword.
func (c *sshdConfig) set(into map[string]string, keyword, value string, at facts.Origin) {
	if _, first := into[keyword]; first {
		return
	}
	into[keyword] = value
	c.places[keyword] = at
}

// reach says for which connections a line holds.
type reach int

const (
	always   reach = iota // outside of Match
	everyone              // below a Match that covers every connection
	some                  // below one that covers some of them
)

// file reads one file and those that it includes. A Match ends with its file.
func (c *sshdConfig) file(name string, depth int, from reach) {
	const deepest = 16 // as sshd
	data, err := c.read(name)
	if err != nil {
		if depth == 0 || !absent(err) {
			c.problems = append(c.problems, why(err))
		}
		return
	}
	here := from
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		keyword, value := sshdLine(line)
		at := facts.Origin{File: absolute(name), Line: number}
		switch {
		case keyword == "":
		case keyword == "match":
			here = some
			if coversEveryone(value) && from != some { // a block in a file that some get is for some
				here = everyone
			} else {
				c.matches++
			}
		case keyword == "include":
			if depth == deepest {
				c.problems = append(c.problems, absolute(name)+": files include each other in a circle")
				continue
			}
			for _, pattern := range strings.Fields(value) {
				if !strings.HasPrefix(pattern, "/") {
					pattern = path.Join("etc/ssh", pattern)
				}
				for _, file := range c.glob(pattern) {
					c.file(file, depth+1, here)
				}
			}
		case here == always:
			if _, overridden := c.matched[keyword]; !overridden {
				c.set(c.values, keyword, value, at)
			}
		case here == everyone:
			c.set(c.matched, keyword, value, at)
		case weak(keyword, value):
			c.weakens = true
			c.places["match"] = at
		}
	}
}

// coversEveryone says that the criteria of a Match hold for every connection.
func coversEveryone(criteria string) bool {
	words := strings.FieldsFunc(criteria, func(r rune) bool { return r == ' ' || r == '\t' || r == '=' })
	if len(words) == 1 {
		return strings.EqualFold(words[0], "all")
	}
	for i := 0; i+1 < len(words); i += 2 {
		patterns := strings.Split(words[i+1], ",")
		whole := slices.Contains(patterns, "*") || slices.Contains(patterns, "0.0.0.0/0") && slices.Contains(patterns, "::/0")
		if !whole || slices.ContainsFunc(patterns, func(p string) bool { return strings.HasPrefix(p, "!") }) {
			return false
		}
	}
	return len(words) > 0 && len(words)%2 == 0
}

func weak(keyword, value string) bool {
	switch keyword {
	case "passwordauthentication", "permitemptypasswords", "kbdinteractiveauthentication":
		return value == "yes"
	case "permitrootlogin":
		return value == "yes"
	default:
		return false
	}
}

// sshdLine splits a line into its keyword in small letters and its value; a
// comment or an empty line has no keyword.
func sshdLine(line string) (keyword, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), ""
	}
	keyword = strings.ToLower(line[:end])
	if keyword == "challengeresponseauthentication" || keyword == "skeyauthentication" { // its old names
		keyword = "kbdinteractiveauthentication"
	}
	value = strings.TrimLeft(line[end:], " \t=")
	if i := strings.Index(value, " #"); i >= 0 {
		value = value[:i]
	}
	value = clean(strings.Trim(strings.TrimSpace(value), `"`))
	if keyword != "include" && keyword != "match" && keyword != "authorizedkeysfile" {
		value = strings.ToLower(value)
	}
	return keyword, value
}

// rootKeys counts the keys that may log in as root, in the files that sshd looks into.
func (s *scan) rootKeys(files string) {
	c := &s.doc.SSH
	for _, name := range strings.Fields(files) {
		if strings.EqualFold(name, "none") {
			continue
		}
		name = strings.NewReplacer("%%", "%", "%h", "/root", "%u", "root", "%U", "0").Replace(name)
		if !strings.HasPrefix(name, "/") {
			name = path.Join("/root", name)
		}
		data, err := s.t.read(name)
		if err != nil {
			if !absent(err) {
				s.unknown("ssh.root_keys", why(err))
				s.unknown("ssh.root_keys_unrestricted", why(err))
			}
			continue
		}
		all, open := countKeys(string(data))
		c.RootKeys += all
		c.RootKeysUnrestricted += open
		s.at("ssh.root_keys", name)
		s.at("ssh.root_keys_unrestricted", name)
	}
}

// countKeys counts the keys of a file, and those that neither an address nor a
// command restricts.
func countKeys(text string) (all, unrestricted int) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		all++
		options, _, _ := strings.Cut(line, " ")
		restricted := slices.ContainsFunc([]string{"from=", "command=", "restrict"}, func(o string) bool {
			return strings.HasPrefix(options, o) || strings.Contains(options, ","+o)
		})
		if !restricted {
			unrestricted++
		}
	}
	return all, unrestricted
}
