package image

import (
	"strings"
	"testing"
)

// Entries of a pull secret are found as the kubelet finds them.
func TestLogins(t *testing.T) {
	l, err := ParseLogins([]byte(`{"auths": {
		"https://index.docker.io/v1/": {"username": "hub", "password": "a"},
		"registry.example": {"auth": "aG9zdDpiOmM="},
		"registry.example/team": {"username": "team", "password": "d"},
		"*.cloud.example": {"identitytoken": "e"},
		"empty.example": {}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string][]Login{
		"docker.io/library/nginx":         {{Username: "hub", Password: "a"}},
		"registry.example/team/app":       {{Username: "team", Password: "d"}, {Username: "host", Password: "b:c"}},
		"registry.example/teams/app":      {{Username: "host", Password: "b:c"}},
		"eu.cloud.example/app":            {{IdentityToken: "e"}},
		"a.eu.cloud.example/app":          nil,
		"registry.example.evil/team/app":  nil,
		"registry.example:5000/team/app":  nil,
		"empty.example/app":               nil,
		"evil.example/registry.example/a": nil,
	} {
		got := l.For(repository)
		if len(got) != len(want) {
			t.Errorf("%s: %d logins, want %d", repository, len(got), len(want))
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: login %d is another one", repository, i)
			}
		}
	}
}

// An error about a pull secret tells nothing of what stands in it.
func TestLoginsTellNoSecret(t *testing.T) {
	for _, text := range []string{`{"auths": {"a": {"auth": "hunter2"}}}`, `{"auths": {"a": "hunter2"}}`, `hunter2`, `{}`, `{"auths": {"a": {"auth": "aHVudGVyMg=="}}}`} {
		if _, err := ParseLogins([]byte(text)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
