package image

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestCredentialHelpers: programs that answer, that have nothing, and that are broken
// in every way. A public image is read all the same, and nothing that a helper prints
// is told.
func TestCredentialHelpers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the helpers of this test are shell scripts")
	}
	const secret = "helper-s3cret"
	private, public := newServer(t), newServer(t)
	private.push(t, "app:1", small(t))
	public.push(t, "app:1", small(t))
	private.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if user, pass, ok := r.BasicAuth(); ok && user == "me" && pass == secret {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	for what, tt := range map[string]struct {
		script string // empty: there is no such program
		ok     bool
		asked  bool   // the registry is asked without credentials, and in time
		says   string // in the log
	}{
		"answers":        {`read server; test -n "$server" && echo '{"Username":"me","Secret":"` + secret + `"}'`, true, false, ""},
		"has none":       {"echo credentials not found in native keychain; exit 1", false, true, ""},
		"fails":          {"echo " + secret + "; echo " + secret + " >&2; exit 3", false, true, "does not succeed: exit status 3"},
		"prints garbage": {"echo " + secret + "{", false, true, "is no JSON"},
		"prints a token": {`echo '{"Username":"<token>","Secret":"` + secret + `"}'`, false, false, ""},
		"is not there":   {"", false, true, "run the credential helper"},
		// The patience is short for the registry too, and a busy machine may take longer.
		"never answers": {"sleep 5", false, false, "does not answer"},
	} {
		for _, setting := range []string{`{"credsStore":"test"}`, fmt.Sprintf(`{"credHelpers":{%q:"test",%q:"test"}}`, private.host, public.host)} {
			t.Run(what, func(t *testing.T) {
				o := options(t, private.host+"/app:1")
				bin := t.TempDir()
				if tt.script != "" {
					must(t, os.WriteFile(filepath.Join(bin, "docker-credential-test"), []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700))
				}
				t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
				must(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(setting), 0o600))
				var log bytes.Buffer
				client := func() *Registry {
					patience := time.Minute
					if what == "never answers" {
						patience = 300 * time.Millisecond
					}
					return newClient(t, RegistryOptions{AnswerTimeout: patience, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				}
				o.Registry = client()
				if tt.ok {
					collect(t, o).image(t, o.References[0])
				} else {
					log.WriteString(failure(t, o))
					if tt.asked && !strings.Contains(log.String(), "status 401") {
						t.Errorf("the registry was not asked without credentials:\n%s", log.String())
					}
				}
				if !strings.Contains(log.String(), tt.says) {
					t.Errorf("the log does not say %q:\n%s", tt.says, log.String())
				}
				if what != "answers" { // it would be sent where it is not asked for
					o = options(t, public.host+"/app:1")
					must(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(setting), 0o600))
					o.Registry = client()
					if what != "never answers" {
						collect(t, o).image(t, o.References[0])
					}
				}
				if strings.Contains(log.String(), secret) {
					t.Errorf("the credential is told:\n%s", log.String())
				}
			})
		}
	}
}
