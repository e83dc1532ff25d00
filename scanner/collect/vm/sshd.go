package vm

import (
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// ssh reads the configuration of sshd as sshd does: the first value of a keyword
// counts, Include puts files in, and what stands below Match holds for some only.
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
	conf := sshdConfig{values: map[string]string{}, places: map[string]facts.Origin{}, read: s.t.read, glob: s.glob}
	conf.file(main, 0)
	if len(conf.problems) > 0 { // a file that cannot be read may say anything
		for _, problem := range conf.problems {
			s.unknown("ssh", problem)
		}
		return
	}
	c.MatchBlocks, c.MatchWeakens = conf.matches, conf.weakens
	yes := func(keyword, otherwise string) bool { return conf.value(keyword, otherwise) != "no" }
	c.PasswordAuthentication = yes("passwordauthentication", "yes")
	c.KeyboardInteractive = yes("kbdinteractiveauthentication", conf.value("challengeresponseauthentication", "yes"))
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
	s.rootKeys()
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

// sshdConfig gathers what configuration files say.
type sshdConfig struct {
	values   map[string]string
	places   map[string]facts.Origin
	matches  int
	weakens  bool
	problems []string
	read     func(string) ([]byte, error)
	glob     func(string) []string
}

func (c *sshdConfig) value(keyword, otherwise string) string {
	if v, ok := c.values[keyword]; ok {
		return v
	}
	return otherwise
}

// file reads one file and those that it includes.
func (c *sshdConfig) file(name string, depth int) {
	const deepest = 16 // as sshd
	data, err := c.read(name)
	if err != nil {
		if depth == 0 || !absent(err) {
			c.problems = append(c.problems, why(err))
		}
		return
	}
	matching := false // below a Match, which ends with its file
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		keyword, value := sshdLine(line)
		switch keyword {
		case "":
		case "match":
			matching = !strings.EqualFold(value, "all")
			if matching {
				c.matches++
			}
		case "include":
			if depth == deepest {
				c.problems = append(c.problems, absolute(name)+": files include each other in a circle")
				continue
			}
			for _, pattern := range strings.Fields(value) {
				if !strings.HasPrefix(pattern, "/") {
					pattern = path.Join("etc/ssh", pattern)
				}
				for _, file := range c.glob(pattern) {
					if matching {
						c.weakens = true // what it holds depends on who logs in, and is not followed
						continue
					}
					c.file(file, depth+1)
				}
			}
		default:
			if matching {
				if weak(keyword, value) {
					c.weakens = true
					c.places["match"] = facts.Origin{File: absolute(name), Line: number}
				}
				continue
			}
			if _, first := c.values[keyword]; !first {
				c.values[keyword] = value
				c.places[keyword] = facts.Origin{File: absolute(name), Line: number}
			}
		}
	}
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
	value = strings.TrimLeft(line[end:], " \t=")
	if i := strings.Index(value, " #"); i >= 0 {
		value = value[:i]
	}
	value = clean(strings.Trim(strings.TrimSpace(value), `"`))
	if keyword != "include" && keyword != "match" {
		value = strings.ToLower(value)
	}
	return keyword, value
}

// rootKeys counts the keys that may log in as root.
func (s *scan) rootKeys() {
	c := &s.doc.SSH
	for _, name := range []string{"root/.ssh/authorized_keys", "root/.ssh/authorized_keys2"} {
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
