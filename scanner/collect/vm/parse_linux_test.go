package vm

import (
	"slices"
	"strings"
	"testing"
)

func TestCompareReleases(t *testing.T) {
	ordered := []string{
		"3.10.0-1160.el7.x86_64", "3.10.0-1160.119.1.el7.x86_64", "5.14.0-362.8.1.el9_3.x86_64", "5.14.0-427.13.1.el9_4.x86_64", "5.15.0-91-generic",
		"5.15.0-101-generic", "6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-20-amd64", "6.1.0-rc1-amd64x", "6.5.0-0.deb12.4-amd64", "6.18.44",
	}
	ordered = slices.DeleteFunc(ordered, func(s string) bool { return strings.Contains(s, "rc1") })
	shuffled := slices.Clone(ordered)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, compareReleases)
	if !slices.Equal(shuffled, ordered) {
		t.Errorf("got %q", shuffled)
	}
	if compareReleases("6.1.0-rc1", "6.1.0") >= 0 {
		t.Error("a release candidate comes before its release")
	}
	for release, want := range map[string]string{
		"6.1.0-18-amd64": "amd64", "6.1.0-18-cloud-amd64": "cloud-amd64", "5.15.0-91-generic": "generic", "5.14.0-362.8.1.el9_3.x86_64": "",
		"6.6.0-1.fc40.x86_64+debug": "debug", "6.6.14-0-lts": "lts",
	} {
		if got := flavour(release); got != want {
			t.Errorf("flavour of %s is %q, want %q", release, got, want)
		}
	}
}

func TestSSHDConfig(t *testing.T) {
	texts := map[string]string{
		"etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes # too late\nPasswordAuthentication=no\n" +
			"Match User backup\n  PasswordAuthentication yes\nMatch all\nX11Forwarding yes\n",
		"/etc/ssh/sshd_config.d/10.conf": "permitrootlogin NO\nMatch Group a\nPubkeyAuthentication no\n",
		"/etc/ssh/sshd_config.d/20.conf": "PubkeyAuthentication yes\n",
	}
	c := newSSHDConfig(func(name string) ([]byte, error) {
		if text, ok := texts[name]; ok {
			return []byte(text), nil
		}
		return nil, pathError(name, errNotRegular)
	}, func(string) []string {
		return []string{"/etc/ssh/sshd_config.d/10.conf", "/etc/ssh/sshd_config.d/20.conf"}
	})
	c.file("etc/ssh/sshd_config", 0, always)
	for keyword, want := range map[string]string{"permitrootlogin": "no", "passwordauthentication": "no", "pubkeyauthentication": "yes", "x11forwarding": "yes"} {
		if got := c.value(keyword, ""); got != want {
			t.Errorf("%s is %q, want %q", keyword, got, want)
		}
	}
	if c.matches != 2 || !c.weakens || len(c.problems) > 0 {
		t.Errorf("matches %d, weakens %t, problems %v", c.matches, c.weakens, c.problems)
	}
	if at := c.places["permitrootlogin"]; at.File != "/etc/ssh/sshd_config.d/10.conf" || at.Line != 1 {
		t.Errorf("place %+v", at)
	}
}

func TestCountKeys(t *testing.T) {
	all, open := countKeys("# keys\nssh-ed25519 AAAA a\nfrom=\"10.0.0.0/8\" ssh-ed25519 AAAA b\nno-pty,command=\"/bin/x\" ssh-rsa AAAA c\n\nrestrict ssh-rsa A d\n")
	if all != 4 || open != 1 {
		t.Errorf("%d keys, %d unrestricted", all, open)
	}
}

func TestListeners(t *testing.T) {
	got := parseListeners("  sl  local\n   0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 55 1\n   1: 00000000000000000000000000000000:0050 0:0 0A 0:0 0:0 0 0 0 56 1\n" +
		"   2: 0000000000000000FFFF00000500000A:0050 0:0 0A 0:0 0:0 0 0 0 57 1\n   3: 0100007F:1F90 0:0 01 0:0 0:0 0 0 0 58 1\n   4: ZZ:1F90 0:0 0A 0:0 0:0 0 0 0 58 1\n")
	var text []string
	for _, l := range got {
		text = append(text, l.addr.Addr().Unmap().String()+" "+l.inode)
	}
	if want := []string{"127.0.0.1 55", ":: 56", "10.0.0.5 57"}; !slices.Equal(text, want) {
		t.Errorf("got %q, want %q", text, want)
	}
}

func TestUnitArguments(t *testing.T) {
	if got := unitLines("[Service]\n# c\nExecStart=/a \\\n  --b\n"); !slices.Equal(got, []string{"[Service]", "ExecStart=/a    --b"}) {
		t.Errorf("got %q", got)
	}
	if got := autologinOf("ExecStart=\nExecStart=-/sbin/agetty -a admin --noclear %I\n"); got != "admin" {
		t.Errorf("got %q", got)
	}
	if got := splitQuoted(`a "b c"=d  e`); !slices.Equal(got, []string{"a", "b c=d", "e"}) {
		t.Errorf("got %q", got)
	}
}

func TestDirents(t *testing.T) {
	if got := parseDirents([]byte{1, 2, 3}, nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	record := make([]byte, 24)
	record[16], record[18] = 24, 8
	copy(record[19:], "abc")
	if got := parseDirents(slices.Concat(record, record[:20]), nil); len(got) != 1 || got[0].name != "abc" {
		t.Errorf("got %v", got)
	}
}
