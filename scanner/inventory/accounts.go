package inventory

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// accounts is one of the files passwd, shadow and group.
type accounts struct {
	Path   string  `json:"path"`
	Users  []user  `json:"users,omitempty"`  // of passwd
	Locks  []lock  `json:"locks,omitempty"`  // of shadow
	Groups []group `json:"groups,omitempty"` // of group
}

type user struct {
	Name     string `json:"name"`
	UID      int    `json:"uid"`
	GID      int    `json:"gid"`
	Home     string `json:"home"`
	Shell    string `json:"shell"`
	Password string `json:"password"` // as in facts.User, of the field in passwd itself
}

type lock struct {
	Name     string `json:"name"`
	Password string `json:"password"` // empty, locked or set
}

type group struct {
	Name    string   `json:"name"`
	GID     int      `json:"gid"`
	Members []string `json:"members,omitempty"`
}

// maxAccounts bounds the lines of such a file that are read.
const maxAccounts = 100_000

// accountReader returns the reader of an account file and the fact it fills.
func (s *LayerScan) accountReader(p string) (read func(string, []byte) error, area string) {
	switch p {
	case "etc/passwd":
		return s.addPasswd, "users"
	case "etc/shadow":
		return s.addShadow, "users"
	case "etc/group":
		return s.addGroup, "groups"
	default:
		return nil, ""
	}
}

// addPasswd reads passwd(5). Lines that are none are left out, as the C library
// does.
func (s *LayerScan) addPasswd(p string, data []byte) error {
	a := accounts{Path: p}
	for f := range fields(data, 7) {
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if f[0] == "" || err1 != nil || err2 != nil {
			continue
		}
		a.Users = append(a.Users, user{
			Name: oneLine(f[0]), UID: uid, GID: gid, Home: oneLine(f[5]), Shell: oneLine(f[6]), Password: passwordState(f[1]),
		})
	}
	s.note(p)
	s.layer.Accounts = append(s.layer.Accounts, a)
	return nil
}

// addShadow reads shadow(5), of which only the state of the password is kept.
func (s *LayerScan) addShadow(p string, data []byte) error {
	a := accounts{Path: p}
	for f := range fields(data, 2) {
		if f[0] != "" {
			a.Locks = append(a.Locks, lock{Name: oneLine(f[0]), Password: passwordState(f[1])})
		}
	}
	s.note(p)
	s.layer.Accounts = append(s.layer.Accounts, a)
	return nil
}

// addGroup reads group(5).
func (s *LayerScan) addGroup(p string, data []byte) error {
	a := accounts{Path: p}
	for f := range fields(data, 3) {
		gid, err := strconv.Atoi(f[2])
		if f[0] == "" || err != nil {
			continue
		}
		g := group{Name: oneLine(f[0]), GID: gid}
		if len(f) > 3 {
			for m := range strings.SplitSeq(f[3], ",") {
				if m = strings.TrimSpace(m); m != "" {
					g.Members = append(g.Members, oneLine(m))
				}
			}
		}
		a.Groups = append(a.Groups, g)
	}
	s.note(p)
	s.layer.Accounts = append(s.layer.Accounts, a)
	return nil
}

// fields yields the colon-separated fields of lines that have at least n of them.
func fields(data []byte, n int) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		count := 0
		for line := range bytes.Lines(data) {
			text := strings.TrimRight(string(line), "\r\n")
			if text == "" || text[0] == '#' || count == maxAccounts {
				continue
			}
			f := strings.Split(text, ":")
			if len(f) < n {
				continue
			}
			count++
			if !yield(f) {
				return
			}
		}
	}
}

// passwordState says what a password field means, without the field: "x" points
// to the shadow file, a mark in front of it locks it.
func passwordState(field string) string {
	switch {
	case field == "":
		return "empty"
	case field == "x":
		return "none"
	case field[0] == '!', field[0] == '*', len(field) < 13 && field[0] != '$':
		return "locked" // no hash is that short, so nothing can match it
	default:
		return "set"
	}
}

// mergeAccounts lists users and groups and finds the runtime user.
func (m *merger) mergeAccounts(context.Context) error {
	passwd := m.accountFile("etc/passwd")
	shadow := m.accountFile("etc/shadow")
	locks := map[string]string{}
	if shadow != nil {
		for _, l := range shadow.Locks {
			locks[l.Name] = l.Password
		}
	}
	if passwd != nil {
		for _, u := range passwd.Users {
			f := facts.User{
				Name: u.Name, UID: u.UID, GID: u.GID, Home: u.Home, Shell: u.Shell, LoginShell: loginShell(u.Shell), Password: u.Password,
			}
			if state, ok := locks[u.Name]; ok && u.Password == "none" {
				f.Password = state
			}
			m.inv.Users = append(m.inv.Users, f)
		}
	}
	if groups := m.accountFile("etc/group"); groups != nil {
		m.groups = groups.Groups
		for _, g := range groups.Groups {
			m.inv.Groups = append(m.inv.Groups, facts.Group{Name: g.Name, GID: g.GID})
		}
	}
	slices.SortStableFunc(m.inv.Users, func(a, b facts.User) int { return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.Name, b.Name)) })
	slices.SortStableFunc(m.inv.Groups, func(a, b facts.Group) int { return cmp.Or(cmp.Compare(a.GID, b.GID), cmp.Compare(a.Name, b.Name)) })
	m.findRuntimeUser()
	return nil
}

// accountFile returns the visible file of that path, through a symbolic link too.
func (m *merger) accountFile(p string) *accounts {
	p = m.follow(p)
	for i := len(m.layers) - 1; i >= 0; i-- {
		list := m.layers[i].Accounts
		for k := len(list) - 1; k >= 0; k-- {
			if name, ok := m.nameOf(list[k].Path, i); ok && (name == p || list[k].Path == p) {
				return &list[k]
			}
		}
	}
	return nil
}

// loginShell says whether a shell lets one log in.
func loginShell(shell string) bool {
	switch path.Base(shell) {
	case "nologin", "false", "true", "sync", "halt", "shutdown":
		return false
	default:
		return true // an empty field is /bin/sh
	}
}

// who is the runtime user with its groups.
type who struct {
	uid    int
	name   string // empty where no account has the number
	groups map[int]bool
}

// findRuntimeUser looks the user of the configuration up, as a runtime does: a
// name must be in passwd, and without a group in the configuration the account's
// own groups apply.
func (m *merger) findRuntimeUser() {
	name, groupName, withGroup := strings.Cut(m.rt.User, ":")
	m.who = who{groups: map[int]bool{}}
	if name == "" {
		name = "0"
	}
	var account *facts.User
	if uid, err := strconv.Atoi(name); err == nil {
		m.who.uid, m.inv.UserKnown = uid, true
		for i := range m.inv.Users {
			if m.inv.Users[i].UID == uid {
				account = &m.inv.Users[i]
				break
			}
		}
	} else {
		for i := range m.inv.Users {
			if m.inv.Users[i].Name == name {
				account = &m.inv.Users[i]
				m.who.uid, m.inv.UserKnown = account.UID, true
				break
			}
		}
		if account == nil && name == "root" {
			m.who.uid, m.inv.UserKnown = 0, true // whatever runs it without a passwd means uid 0
		}
	}
	if m.rt.Windows {
		m.inv.UserKnown = false
	}
	m.inv.UserUID = m.who.uid
	switch {
	case account != nil:
		m.who.name = account.Name
	case m.who.uid == 0 && m.inv.UserKnown:
		m.who.name = "root"
	}
	if withGroup {
		if gid, err := strconv.Atoi(groupName); err == nil {
			m.who.groups[gid] = true
		}
		for _, g := range m.groups {
			if g.Name == groupName {
				m.who.groups[g.GID] = true
			}
		}
		return
	}
	if account == nil {
		m.who.groups[0] = true
		return
	}
	m.who.groups[account.GID] = true
	for _, g := range m.groups {
		if slices.Contains(g.Members, account.Name) {
			m.who.groups[g.GID] = true
		}
	}
}
