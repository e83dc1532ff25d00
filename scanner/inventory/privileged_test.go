package inventory

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// capability encodes security.capability.
func capability(version uint32, words ...uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, version<<24|1)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func TestPrivilegedFiles(t *testing.T) {
	base := scan(t, Options{},
		file{path: "usr/bin/su", mode: 0o755 | fs.ModeSetuid, content: "x"},
		file{path: "usr/bin/wall", mode: 0o755 | fs.ModeSetgid, gid: 5, content: "x"},
		file{path: "usr/bin/lock", mode: 0o644 | fs.ModeSetgid | fs.ModeSetuid, content: "x"},
		file{path: "usr/bin/ping", mode: 0o755, capability: capability(2, 1<<13, 0, 0, 0), content: "x"},
		file{path: "usr/bin/new", mode: 0o755, capability: capability(3, 1<<21, 1<<7, 1<<8, 0, 1000), content: "x"},
		file{path: "usr/bin/old", mode: 0o755, capability: capability(1, 1, 0), content: "x"},
		file{path: "usr/bin/odd", mode: 0o755, capability: []byte{1, 2, 3}, content: "x"},
		file{path: "usr/bin/su2", mode: 0o755 | fs.ModeSetuid, hard: true, link: "usr/bin/su"},
		file{path: "usr/bin/gone", mode: 0o755 | fs.ModeSetuid, content: "x"},
		file{path: "srv", mode: 0o755 | fs.ModeDir | fs.ModeSetgid},
	)
	top := scan(t, Options{}, file{path: "usr/bin/.wh.gone"}, file{path: "usr/bin/wall", mode: 0o755, content: "x"}, file{path: "usr/bin/mount", mode: 0o755 | fs.ModeSetuid, content: "x"})
	inv := merge(t, Runtime{}, base, top)
	var got []string
	for _, p := range inv.PrivilegedFiles {
		got = append(got, fmt.Sprintf("%s %s %v %d", p.Path, p.Mode, p.Capabilities, p.Layer))
	}
	want := []string{
		"usr/bin/mount 4755 [] 1", "usr/bin/new 0755 [cap_setuid cap_sys_admin cap_checkpoint_restore] 0", "usr/bin/old 0755 [cap_chown] 0",
		"usr/bin/ping 0755 [cap_net_raw] 0", "usr/bin/su 4755 [] 0", "usr/bin/su2 4755 [] 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if gap := inv.Missing["privileged_files"]; !strings.Contains(gap.Reason, "usr/bin/odd") {
		t.Errorf("missing %+v", gap)
	}
}

func TestWritableFiles(t *testing.T) {
	base := scan(t, Options{},
		file{path: "tmp", mode: 0o777 | fs.ModeDir | fs.ModeSticky},
		file{path: "etc", mode: 0o777 | fs.ModeDir},
		file{path: "etc/app.conf", mode: 0o666, content: "x"},
		file{path: "etc/link", mode: linkMode, link: "app.conf"},
		file{path: "usr/local/bin", mode: 0o777 | fs.ModeDir},
		file{path: "opt/tools/run", mode: 0o777, content: "x"},
		file{path: "opt/other/run", mode: 0o777, content: "x"},
		file{path: "srv", mode: 0o777 | fs.ModeDir},
		file{path: "srv/start.sh", mode: 0o777, content: "#!/bin/sh\n"},
		file{path: "srv/data", mode: 0o666, content: "x"},
		file{path: "usr/lib/libx.so", mode: 0o666, content: "x"},
		file{path: "app/venv/lib/python3/site-packages/x.py", mode: 0o666, content: "x"},
		file{path: "dev/null", mode: 0o666 | fs.ModeDevice | fs.ModeCharDevice},
		file{path: "lib", mode: 0o777 | fs.ModeDir},
		file{path: "bin", mode: linkMode, link: "usr/bin"},
		file{path: "usr/bin", mode: 0o777 | fs.ModeDir | fs.ModeSticky},
	)
	// A later layer closes one, and only names a path below the other.
	top := scan(t, Options{}, file{path: "lib", mode: 0o755 | fs.ModeDir}, file{path: "etc/new", content: "x"})
	inv := merge(t, Runtime{Path: []string{"/usr/local/bin", "/bin", "/opt/tools"}, Entrypoint: []string{"./start.sh"}, WorkingDir: "/srv"}, base, top)
	var got []string
	for _, w := range inv.WritableFiles {
		got = append(got, fmt.Sprintf("%s %s %s", w.Path, w.Mode, w.Trusted))
	}
	want := []string{
		"app/venv/lib/python3/site-packages/x.py 0666 interpreter", "etc 0777 etc", "etc/app.conf 0666 etc", "opt/tools/run 0777 path", "srv 0777 entrypoint",
		"srv/start.sh 0777 entrypoint", "usr/bin 1777 path", "usr/lib/libx.so 0666 library", "usr/local/bin 0777 path",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWritableFilesAreBounded(t *testing.T) {
	s := NewLayer(Options{})
	for i := range maxWritable + 10 {
		if err := s.Add(t.Context(), Entry{Path: fmt.Sprintf("etc/%d", i), Mode: 0o666}, nil); err != nil {
			t.Fatal(err)
		}
	}
	l, err := s.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inv := merge(t, Runtime{}, l)
	if len(inv.WritableFiles) != maxWritable || inv.Missing["writable_files"].Status != "unknown" {
		t.Errorf("%d files, missing %+v", len(inv.WritableFiles), inv.Missing)
	}
}

func TestAccounts(t *testing.T) {
	l := scan(t, Options{},
		file{path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/bash\ndaemon:*:1:1::/:/usr/sbin/nologin\napp:x:1000:1000:,,,:/home/app:/bin/sh\ntoor::0:0::/root:\nshort:x\n# comment\nbad:x:one:1::/:/bin/sh\nold:abcdefghijklm:7:7::/:/bin/sh\n"},
		file{path: "etc/shadow", content: "root:!:19000:0:99999:7:::\napp:$6$salt$hash:19000::::::\ndaemon:*::\n"},
		file{path: "etc/group", content: "root:x:0:\napp:x:1000:\nsudo:x:27:app,other\nbad\n"})
	inv := merge(t, Runtime{User: "app"}, l)
	var got []string
	for _, u := range inv.Users {
		got = append(got, fmt.Sprintf("%s %d %s %t", u.Name, u.UID, u.Password, u.LoginShell))
	}
	want := []string{"root 0 locked true", "toor 0 empty true", "daemon 1 locked false", "old 7 set true", "app 1000 set true"}
	if !slices.Equal(got, want) {
		t.Errorf("users\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(inv.Groups) != 3 || inv.UserUID != 1000 || !inv.UserKnown {
		t.Errorf("groups %+v, uid %d known %t", inv.Groups, inv.UserUID, inv.UserKnown)
	}
	for user, want := range map[string]string{"": "0 true", "0:0": "0 true", "root": "0 true", "nobody": "0 false", "4242": "4242 true", "app:sudo": "1000 true"} {
		if inv := merge(t, Runtime{User: user}, l); fmt.Sprintf("%d %t", inv.UserUID, inv.UserKnown) != want {
			t.Errorf("user %q: %d known %t, want %s", user, inv.UserUID, inv.UserKnown, want)
		}
	}
	// A later layer's file replaces the lower one's whole.
	if inv := merge(t, Runtime{}, l, scan(t, Options{}, file{path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n"})); len(inv.Users) != 1 {
		t.Errorf("users %+v", inv.Users)
	}
	if inv := merge(t, Runtime{User: "root"}, l, scan(t, Options{}, file{path: "etc/.wh.passwd"})); inv.UserUID != 0 || !inv.UserKnown {
		t.Errorf("root without a passwd: %d known %t", inv.UserUID, inv.UserKnown)
	}
	if inv := merge(t, Runtime{User: "app"}, l, scan(t, Options{}, file{path: "etc/.wh.passwd"})); len(inv.Users) != 0 || inv.UserKnown {
		t.Errorf("users %+v, known %t", inv.Users, inv.UserKnown)
	}
}

func TestSudoRules(t *testing.T) {
	sudoers := "# comment\nDefaults\tenv_reset\nUser_Alias ADMINS = alice, app\nroot ALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) \\\n  NOPASSWD: ALL\nADMINS ALL = NOPASSWD: /bin/x, PASSWD: /bin/y\n#1000 ALL=(ALL) ALL\n@includedir /etc/sudoers.d\nbob, carol ALL=(ALL) ALL # why\nCmnd_Alias X = /bin/ls\n"
	l := scan(t, Options{},
		file{path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"},
		file{path: "etc/group", content: "sudo:x:27:app\n"},
		file{path: "etc/sudoers", content: sudoers},
		file{path: "etc/sudoers.d/app", content: "ALL ALL=(ALL) NOPASSWD:ALL\n"},
		file{path: "etc/sudoers.d/README.txt", content: "ALL ALL=(ALL) NOPASSWD:ALL\n"},
		file{path: "etc/doas.conf", content: "permit persist :wheel\npermit nopass keepenv app as root\ndeny bob\npermit setenv { A B } carol\n"})
	inv := merge(t, Runtime{User: "1000"}, l)
	var got []string
	for _, r := range inv.SudoRules {
		got = append(got, fmt.Sprintf("%s:%d %s nopass=%t runtime=%t", r.Path, r.Line, r.Subject, r.NoPassword, r.Runtime))
	}
	want := []string{
		"etc/doas.conf:1 %wheel nopass=false runtime=false", "etc/doas.conf:2 app nopass=true runtime=true", "etc/doas.conf:4 carol nopass=false runtime=false",
		"etc/sudoers:4 root nopass=false runtime=false", "etc/sudoers:5 %sudo nopass=true runtime=true", "etc/sudoers:7 alice nopass=true runtime=false",
		"etc/sudoers:7 app nopass=true runtime=true", "etc/sudoers:8 #1000 nopass=false runtime=true", "etc/sudoers:10 bob nopass=false runtime=false",
		"etc/sudoers:10 carol nopass=false runtime=false", "etc/sudoers.d/app:1 ALL nopass=true runtime=true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	inv = merge(t, Runtime{}, scan(t, Options{}, file{path: "etc/sudoers", content: "Defaults !authenticate\nroot ALL=(ALL) ALL\n"}))
	if len(inv.SudoRules) != 1 || !inv.SudoRules[0].NoPassword || !inv.SudoRules[0].Runtime {
		t.Errorf("rules %+v, want no question for a password", inv.SudoRules)
	}
}

func TestTools(t *testing.T) {
	base := scan(t, Options{},
		file{path: "etc/passwd", content: "app:x:1000:1000::/:/bin/sh\n"},
		file{path: "etc/group", content: "app:x:1000:\ndev:x:50:app\n"},
		file{path: "bin", mode: linkMode, link: "usr/bin"},
		file{path: "usr/bin/bash", mode: 0o755, content: "x"},
		file{path: "usr/bin/sh", mode: linkMode, link: "bash"},
		file{path: "usr/bin/gcc", mode: linkMode, link: "/usr/bin/x86_64-linux-gnu-gcc-12"},
		file{path: "usr/bin/x86_64-linux-gnu-gcc-12", mode: 0o755, content: "x"},
		file{path: "usr/bin/clang-15", mode: 0o750, gid: 50, content: "x"},
		file{path: "usr/bin/gdb", mode: 0o750, content: "x"},
		file{path: "usr/bin/strace", mode: 0o644, content: "x"},
		file{path: "usr/bin/apt-get", mode: 0o755, content: "x"},
		file{path: "usr/bin/dangling", mode: linkMode, link: "nothing"},
		file{path: "usr/bin/nmap", mode: linkMode, link: "nothing"},
		file{path: "root", mode: 0o700 | fs.ModeDir},
		file{path: "root/bin/kubectl", mode: 0o755, content: "x"},
		file{path: "usr/share/doc/make", mode: 0o755, content: "x"},
		file{path: "usr/sbin/sshd", mode: 0o755, content: "x"},
	)
	top := scan(t, Options{}, file{path: "usr/bin/.wh.apt-get"})
	list := func(inv *Inventory) string {
		var out []string
		for _, x := range inv.Tools {
			out = append(out, fmt.Sprintf("%s %s %t", x.Kind, x.Path, x.Reachable))
		}
		return strings.Join(out, "\n")
	}
	want := strings.Join([]string{
		"compiler usr/bin/clang-15 true", "compiler usr/bin/gcc true", "compiler usr/bin/x86_64-linux-gnu-gcc-12 true",
		"container-client root/bin/kubectl false", "debugger usr/bin/gdb false", "shell usr/bin/bash true", "shell usr/bin/sh true", "ssh-server usr/sbin/sshd true",
	}, "\n")
	if got := list(merge(t, Runtime{User: "app"}, base, top)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := list(merge(t, Runtime{}, base, top)); strings.Contains(got, "false") {
		t.Errorf("root cannot reach\n%s", got)
	}
	if got := list(merge(t, Runtime{User: "app"}, base, scan(t, Options{}, file{path: "root", mode: 0o755 | fs.ModeDir}))); !strings.Contains(got, "kubectl true") {
		t.Errorf("a later layer opened the directory\n%s", got)
	}
}

func TestSSHStarters(t *testing.T) {
	l := scan(t, Options{},
		file{path: "etc/supervisor/conf.d/ssh.conf", content: "[program:sshd]\ncommand=/usr/sbin/sshd -D\n"},
		file{path: "etc/supervisor/conf.d/web.conf", content: "[program:web]\ncommand=/usr/sbin/nginx\n; command=/usr/sbin/sshd\n"},
		file{path: "etc/services.d/ssh/run", mode: 0o755, content: "#!/bin/sh\nexec dropbear -F\n"},
		file{path: "etc/sv/ssh/run", mode: 0o755, content: "#!/bin/sh\nexec sshd -D\n"},
		file{path: "etc/init.d/ssh", mode: 0o755, content: "#!/bin/sh\nstart-stop-daemon --exec /usr/sbin/sshd\n"},
		file{path: "entry.sh", mode: 0o755, content: "#!/bin/sh\n# start\nservice ssh start\nexec \"$@\"\n"},
		file{path: "other.sh", mode: 0o755, content: "#!/bin/sh\n/usr/sbin/sshd\n"},
		file{path: "quiet.sh", mode: 0o755, content: "#!/bin/sh\nmkdir -p /run/sshd\npgrep -x sshd\nssh user@host\n"})
	list := func(rt Runtime, layers ...*Layer) string {
		var out []string
		for _, s := range merge(t, rt, layers...).SSHStarters {
			out = append(out, s.Where+" "+s.Path)
		}
		return strings.Join(out, ", ")
	}
	path := []string{"/usr/bin", "/"}
	for _, tc := range []struct {
		rt   Runtime
		want string
	}{
		{Runtime{Path: path, Entrypoint: []string{"/entry.sh"}, Cmd: []string{"nginx"}}, "file entry.sh, file etc/services.d/ssh/run, file etc/supervisor/conf.d/ssh.conf"},
		{Runtime{Path: path, Cmd: []string{"/usr/sbin/sshd", "-D"}}, "cmd , file etc/services.d/ssh/run, file etc/supervisor/conf.d/ssh.conf"},
		{Runtime{Path: path, Cmd: []string{"sh", "-c", "quiet.sh && other.sh"}}, "file etc/services.d/ssh/run, file etc/supervisor/conf.d/ssh.conf, file other.sh"},
		{Runtime{Path: path, Cmd: []string{"quiet.sh"}}, "file etc/services.d/ssh/run, file etc/supervisor/conf.d/ssh.conf"},
	} {
		if got := list(tc.rt, l); got != tc.want {
			t.Errorf("%v %v\n got %s\nwant %s", tc.rt.Entrypoint, tc.rt.Cmd, got, tc.want)
		}
	}
	on := scan(t, Options{}, file{path: "etc/service/ssh", mode: linkMode, link: "/etc/sv/ssh"}, file{path: "etc/systemd/system/multi-user.target.wants/ssh.service", mode: linkMode, link: "/lib/systemd/system/ssh.service"})
	if got := list(Runtime{Path: path, Cmd: []string{"/sbin/init"}}, l, on); !strings.Contains(got, "etc/sv/ssh/run") || !strings.Contains(got, "multi-user.target.wants/ssh.service") {
		t.Errorf("with links that switch it on: %s", got)
	}
}
