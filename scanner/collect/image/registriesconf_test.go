package image

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// where lists the endpoints of a repository as "host/path", "!" for insecure ones.
func where(t *testing.T, c *registriesConf, repo string, digest bool) ([]string, error) {
	t.Helper()
	r, err := name.NewRepository(repo, name.WeakValidation)
	must(t, err)
	eps, err := c.endpoints(r, digest)
	var out []string
	for i, e := range eps {
		s := registryName(e.repo) + "/" + e.repo.RepositoryStr()
		if e.insecure {
			s += "!"
		}
		out = append(out, s)
		if e.origin != (i == len(eps)-1) {
			t.Errorf("%s: origin %t at %d", s, e.origin, i)
		}
	}
	return out, err
}

// TestRegistriesConf: files, folders, prefixes, mirrors and what the options add.
func TestRegistriesConf(t *testing.T) {
	dir := t.TempDir()
	write := func(file, text string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	write("registries.conf", `
unqualified-search-registries = ["quay.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "old.example"

[[registry]]
prefix = "registry.example/team"
location = "new.example:5000/moved/"
insecure = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.example/team"

[[registry]]
prefix = "*.internal.example"
blocked = true

[[registry]]
prefix = "*.wild.example"
[[registry.mirror]]
location = "mirror.example/wild"
`)
	write("d/01.conf", `
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "hub.example/cache"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags"
insecure = true
pull-from-mirror = "tag-only"
`)
	write("d/readme.txt", "this is no TOML")
	c, err := loadRegistriesConf([]string{filepath.Join(dir, "none"), filepath.Join(dir, "registries.conf"), filepath.Join(dir, "d")})
	must(t, err)
	must(t, c.add(map[string][]string{"registry.example": {"http://10.0.0.1:5000/own"}}, []string{"plain.example:80"}))
	for _, tt := range []struct {
		repo   string
		digest bool
		want   []string
	}{
		{"nginx", false, []string{"tags/library/nginx!", "docker.io/library/nginx"}},
		{"nginx", true, []string{"hub.example/cache/library/nginx", "docker.io/library/nginx"}},
		{"registry.example/team/app", false, []string{"10.0.0.1:5000/own/team/app!", "new.example:5000/moved/app!"}},
		{"registry.example/team/app", true, []string{"10.0.0.1:5000/own/team/app!", "mirror.example/team/app", "new.example:5000/moved/app!"}},
		{"registry.example/teamwork/app", false, []string{"10.0.0.1:5000/own/teamwork/app!", "registry.example/teamwork/app"}},
		{"a.wild.example/x/y", false, []string{"mirror.example/wild/x/y", "a.wild.example/x/y"}},
		{"plain.example:80/app", false, []string{"plain.example:80/app!"}},
		{"quay.io/app/x", false, []string{"quay.io/app/x"}},
	} {
		got, err := where(t, c, tt.repo, tt.digest)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s, digest %t: %v %v, want %v", tt.repo, tt.digest, got, err, tt.want)
		}
	}
	if _, err := where(t, c, "a.internal.example/app", false); !errors.Is(err, ErrBlocked) {
		t.Errorf("blocked: %v", err)
	}
	for what, text := range map[string]string{
		"no TOML":              "[[registry",
		"registry of nothing":  "[[registry]]\ninsecure=true",
		"mirror of nothing":    "[[registry]]\nlocation='x'\n[[registry.mirror]]\ninsecure=true",
		"unknown kind of pull": "[[registry]]\nlocation='x'\n[[registry.mirror]]\nlocation='y'\npull-from-mirror='never'",
	} {
		write("bad.conf", text)
		if _, err := loadRegistriesConf([]string{filepath.Join(dir, "bad.conf")}); err == nil || !strings.Contains(err.Error(), "bad.conf") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, m := range []map[string][]string{{"": {"x"}}, {"x": {""}}, {"x": nil}} {
		if err := (&registriesConf{}).add(m, nil); !errors.Is(err, ErrUsage) {
			t.Errorf("%v: %v", m, err)
		}
	}
	// A settings file that leads nowhere is said when it is used.
	c = &registriesConf{entries: []confEntry{{Prefix: "bad.example", Location: "a b"}}}
	if _, err := where(t, c, "bad.example/app", false); err == nil || !strings.Contains(err.Error(), "registry settings") {
		t.Errorf("bad location: %v", err)
	}
}

// TestBlockedRegistryIsNotAsked: not even once, whichever version the settings have.
func TestBlockedRegistryIsNotAsked(t *testing.T) {
	for version, text := range map[string]string{
		"2": "[[registry]]\nlocation='HOST'\nblocked=true\n",
		"1": "[registries.search]\nregistries=['quay.io']\n[registries.insecure]\nregistries=['HOST']\n[registries.block]\nregistries=['HOST']\n",
	} {
		srv := newServer(t)
		conf := filepath.Join(t.TempDir(), "registries.conf")
		must(t, os.WriteFile(conf, []byte(strings.ReplaceAll(text, "HOST", srv.host)), 0o600))
		o := options(t, srv.host+"/app:1")
		o.Registry = newClient(t, RegistryOptions{RegistriesConf: []string{conf}})
		wantText(t, failure(t, o), "registry is blocked", srv.host)
		if srv.requests("") != 0 {
			t.Errorf("version %s: asked %v", version, srv.got)
		}
	}
}

// TestRegistriesConf1: the old version's insecure registries are insecure, and no other is.
func TestRegistriesConf1(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "registries.conf")
	must(t, os.WriteFile(conf, []byte("[registries.insecure]\nregistries=['plain.example:80']\n"), 0o600))
	c, err := loadRegistriesConf([]string{conf})
	must(t, err)
	for repo, want := range map[string]string{"plain.example:80/app": "plain.example:80/app!", "nginx": "docker.io/library/nginx"} {
		if got, err := where(t, c, repo, false); err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v %v, want %s", repo, got, err, want)
		}
	}
}

// FuzzRegistriesConf: no file breaks the reader or leads to another repository.
func FuzzRegistriesConf(f *testing.F) {
	f.Add("[[registry]]\nprefix='*.a.example'\nlocation='b'\n[[registry.mirror]]\nlocation='c:1/d'\n", "x.a.example/y")
	f.Add("[registries.insecure]\nregistries=['x']", "nginx")
	f.Add("[[registry]]\nlocation='docker.io/library'\nprefix='docker.io'", "nginx")
	f.Fuzz(func(t *testing.T, text, repo string) {
		entries, err := parseRegistriesConf([]byte(text))
		if err != nil {
			return
		}
		ref, err := parseReference(repo)
		if err != nil {
			return
		}
		c := &registriesConf{}
		c.merge(entries)
		eps, err := c.endpoints(ref.Context(), false)
		if err != nil {
			return
		}
		if len(eps) == 0 {
			t.Error("no endpoint and no error")
		}
		for _, e := range eps {
			if e.repo.RegistryStr() == "" || strings.HasPrefix(e.repo.RepositoryStr(), "/") {
				t.Errorf("endpoint %q", e.repo)
			}
		}
	})
}
