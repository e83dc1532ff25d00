package engine

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// By ssh the engine's own client on the other machine carries the bytes. Here ssh is a script that runs the command at once, so
// that no server is needed; the client and what it says to the engine are real.
func TestSSH(t *testing.T) {
	need(t, "docker", "sh")
	e := serveEngine(t, behaviour{containers: 3})
	bin := folder(t)
	script := writeFile(t, bin, "ssh", "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\neval \"exec $*\"\n")
	must(t, os.Chmod(script, 0o755))
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	s := collect(t, Options{Hosts: []string{"ssh://me@elsewhere" + e.socket}})
	if len(s.resources) != 4 || s.engine(t, "docker").Local {
		t.Errorf("targets %+v, %d resources", s.targets, len(s.resources))
	}
}

// A privileged exec session in a container that is none is told.
func TestPrivilegedExec(t *testing.T) {
	e := serveEngine(t, behaviour{containers: 1, inspect: func(w http.ResponseWriter, r *http.Request, _ int) bool {
		doc := inspected(r.PathValue("id"))
		doc["ExecIDs"] = []string{"one", "two", "over"}
		_ = json.NewEncoder(w).Encode(doc) // who hung up is not told
		return true
	}})
	s := collect(t, Options{Hosts: e.host()})
	for _, r := range s.resources {
		if r.Kind != "container" {
			continue
		}
		if c := s.container(t, r.ID); c.PrivilegedExecs != 1 {
			t.Errorf("%d privileged sessions, want the one that runs; missing %+v", c.PrivilegedExecs, r.Missing)
		}
	}
}
