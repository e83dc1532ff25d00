package inventory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestConfigSecrets(t *testing.T) {
	f := forge{rand.New(rand.NewPCG(4, 4))}
	random := "q7" + f.of(alnum, 22) + "X"
	token := "ghp_" + f.of(alnum, 36)
	c := ConfigText{
		Env: []string{
			"PATH=/usr/bin:/bin", "DB_PASSWORD=" + random, "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", "PYTHON_VERSION=3.11.6",
			"POSTGRES_PASSWORD_FILE=/run/secrets/pg", "API_TOKEN=${TOKEN}", "DATABASE_URL=postgres://app:" + random + "@db/shop", "GH=" + token,
			"NODE_SHA256=" + f.of(hexes, 64), "SHARED_SECRET=" + random, "TOKEN_TYPE=Bearer12345", "EMPTY_PASSWORD=",
		},
		Labels:     map[string]string{"maintainer": "x", "com.example.api-key": random, "b": "ghp_" + f.of(alnum, 36)},
		Entrypoint: []string{"/app", "--password", random, "--name", "shop"},
		Cmd:        []string{"sh", "-c", "TOKEN=" + random + " exec app --api-key=" + random},
		History: []string{
			"/bin/sh -c #(nop) ADD file:abc in /", "|1 NPM_TOKEN=" + random + " /bin/sh -c npm ci", "RUN curl -H 'x' https://u:" + random + "@host/x && echo token is here", "ENV HOME=/root",
			`CMD ["app" "--secret" "` + random + `"]`,
		},
	}
	found, masked := ConfigSecrets(c)
	var got []string
	for _, s := range found {
		got = append(got, fmt.Sprintf("%s %d %s %s", s.Where, s.Index, s.Name, s.Rule))
		if s.Length < 4 || s.Severity == "" || s.Title == "" {
			t.Errorf("%+v", s)
		}
	}
	want := []string{
		"cmd 2  high-entropy", "cmd 2  high-entropy",
		"entrypoint 2  high-entropy",
		"env 1 DB_PASSWORD high-entropy", "env 6 DATABASE_URL url-password", "env 7 GH github-pat", "env 9 SHARED_SECRET high-entropy",
		"history 1  high-entropy", "history 2  url-password", "history 4  high-entropy",
		"label 0 b github-pat", "label 1 com.example.api-key high-entropy",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := fmt.Sprint(masked)
	if strings.Contains(all, random) || strings.Contains(all, token) {
		t.Error("a credential is left in the masked text")
	}
	for _, kept := range []string{"PATH=/usr/bin:/bin", "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", "postgres://app:" + mask + "@db/shop", "npm ci", "echo token is here", "--name"} {
		if !strings.Contains(all, kept) {
			t.Errorf("%q is gone from the masked text", kept)
		}
	}
	if masked.Entrypoint[2] != mask || masked.Labels["maintainer"] != "x" || !strings.Contains(c.Env[1], random) {
		t.Errorf("masked entrypoint %q; the argument must not be changed", masked.Entrypoint)
	}
}

func TestCredentialValues(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		want        bool
	}{
		{"PASSWORD", "correct-Horse7battery", true},
		{"PASSWORD", "postgres", false},
		{"MYSQL_ROOT_PASSWORD", "Tr0ub4dor&3", true},
		{"SECRET_KEY", "0123456789", false},
		{"AUTH_TOKEN", "aaaaaaaaaaaaaaaa1", false},
		{"JWT_SECRET", "9f86d081884c7d659a2feaa0c55ad015", true},
		{"TOKEN", "https://example.org/t0ken", false},
		{"API_KEY_FILE", "9f86d081884c7d659a2feaa0c55ad015", false},
		{"GIT_COMMIT", "9f86d081884c7d659a2feaa0c55ad015", false},
		{"PASS", "<your-Pass1word>", false},
		{"TOKENIZERS_PARALLELISM", "falseF4lse", false},
	} {
		if got := credentialValue(tc.name, tc.value); got != tc.want {
			t.Errorf("%s=%s: %t", tc.name, tc.value, got)
		}
	}
}
