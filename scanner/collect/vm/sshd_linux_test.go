package vm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needSSHD skips loudly without a real sshd on a laptop, and fails in CI.
func needSSHD(t *testing.T) {
	t.Helper()
	var missing []string
	for _, p := range []string{"/usr/sbin/sshd", "ssh-keygen", "unshare"} {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if os.Getuid() != 0 {
		missing = append(missing, "root")
	}
	switch {
	case len(missing) == 0:
	case os.Getenv("CI") == "true":
		t.Fatalf("CI must have: %s", strings.Join(missing, ", "))
	default:
		t.Skipf("SKIPPED: no real sshd to compare with, without: %s", strings.Join(missing, ", "))
	}
}

// What is read of a configuration is what the real sshd -T says of it.
func TestSSHDAsSSHDSaysIt(t *testing.T) {
	needSSHD(t)
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	keywords := map[string]string{ // with sshd's defaults
		"passwordauthentication": "yes", "kbdinteractiveauthentication": "yes", "permitrootlogin": "prohibit-password", "permitemptypasswords": "no",
		"pubkeyauthentication": "yes", "hostbasedauthentication": "no", "authenticationmethods": "any",
	}
	for name, tt := range map[string]struct {
		conf    string
		more    map[string]string
		options []string
	}{
		"nothing":               {conf: ""},
		"first value counts":    {conf: "PermitRootLogin no\nPermitRootLogin yes\nPasswordAuthentication=no\n"},
		"old names":             {conf: "ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\nPermitRootLogin without-password\n"},
		"quotes and comments":   {conf: "  passwordauthentication \"no\"\n# PermitRootLogin yes\nPermitRootLogin\tforced-commands-only # why\n"},
		"options first":         {conf: "PermitRootLogin no\nPasswordAuthentication no\n", options: []string{"-o", "PermitRootLogin=yes", "-oPasswordAuthentication yes"}},
		"a block for some":      {conf: "PasswordAuthentication no\nMatch User a\nPasswordAuthentication yes\nPermitRootLogin yes\n"},
		"a block for all":       {conf: "PasswordAuthentication no\nMatch User a\nPasswordAuthentication no\nMatch all\nPasswordAuthentication yes\nPermitRootLogin yes\n"},
		"the first block":       {conf: "Match all\nPermitRootLogin no\nMatch all\nPermitRootLogin yes\n"},
		"block against options": {conf: "Match all\nPermitRootLogin no\n", options: []string{"-o", "PermitRootLogin=yes"}},
		"include":               {conf: "Include DIR/d/*.conf\nPermitRootLogin yes\nPubkeyAuthentication no\n", more: map[string]string{"d/1.conf": "PermitRootLogin no\n", "d/2.conf": "PasswordAuthentication no\nPermitRootLogin yes\n", "d/3.txt": "HostbasedAuthentication yes\n"}},
		"match in an include":   {conf: "Include DIR/d/*.conf\nPermitRootLogin no\n", more: map[string]string{"d/1.conf": "Match User a\nPermitRootLogin yes\n"}},
		"all in an include":     {conf: "Include DIR/d/*.conf\nPermitRootLogin no\nPasswordAuthentication no\n", more: map[string]string{"d/1.conf": "Match all\nPermitRootLogin yes\n"}},
		"include in a block":    {conf: "PermitRootLogin no\nMatch all\nInclude DIR/d/*.conf\n", more: map[string]string{"d/1.conf": "PermitRootLogin yes\nMatch User a\nPasswordAuthentication no\n"}},
		"include for some":      {conf: "PermitRootLogin no\nMatch User a\nInclude DIR/d/*.conf\n", more: map[string]string{"d/1.conf": "PermitRootLogin yes\nMatch all\nPasswordAuthentication no\n"}},
		"methods":               {conf: "AuthenticationMethods publickey,password publickey,keyboard-interactive\nHostbasedAuthentication yes\nPermitEmptyPasswords yes\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			file := filepath.Join(dir, "sshd_config")
			for name, text := range tt.more {
				write(t, filepath.Join(dir, name), text)
			}
			write(t, file, strings.ReplaceAll(tt.conf, "DIR", dir))
			// Its folder for privileges is made in a mount namespace of the call's own.
			args := append([]string{"-m", "sh", "-c", `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd "$@"`, "sh", "-T", "-f", file, "-h", key}, tt.options...)
			out, err := exec.CommandContext(t.Context(), "unshare", args...).CombinedOutput()
			if err != nil {
				t.Fatalf("sshd -T: %v\n%s", err, out)
			}
			says := map[string]string{}
			for line := range strings.Lines(string(out)) {
				keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				says[keyword] = strings.ReplaceAll(value, "without-password", "prohibit-password")
			}
			c := newSSHDConfig(os.ReadFile, func(pattern string) []string { list, _ := filepath.Glob(pattern); return list })
			c.options(commandLine{args: tt.options})
			c.file(file, 0, always)
			for keyword, standard := range keywords {
				if got := strings.ReplaceAll(c.value(keyword, standard), "without-password", "prohibit-password"); got != says[keyword] {
					t.Errorf("%s is %q, sshd says %q", keyword, got, says[keyword])
				}
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A block for everyone may be written in several ways; one that may leave somebody out is for some.
func TestMatchForEveryone(t *testing.T) {
	for criteria, want := range map[string]bool{
		"all": true, "ALL": true, "User *": true, "user=*": true, "User * Address *": true, "Address 0.0.0.0/0,::/0": true,
		"": false, "User": false, "User root": false, "Address 0.0.0.0/0": false, "User *,!root": false, "User * Address 10.0.0.0/8": false, "LocalPort 22": false,
	} {
		if got := coversEveryone(criteria); got != want {
			t.Errorf("%q: %t", criteria, got)
		}
	}
}
