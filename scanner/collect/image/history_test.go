package image

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/postscan/postscan/scanner/facts"
)

// TestParseStep reads what the builders of this world note.
func TestParseStep(t *testing.T) {
	for _, tt := range []struct{ in, instruction, arguments string }{
		// The classic builder.
		{`/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]`, "CMD", `["nginx" "-g" "daemon off;"]`},
		{`/bin/sh -c #(nop) ADD file:4b03b in / `, "ADD", "file:4b03b in /"},
		{`/bin/sh -c #(nop) COPY dir:ab12 in /app `, "COPY", "dir:ab12 in /app"},
		{`/bin/sh -c apt-get update && apt-get install -y curl`, "RUN", "apt-get update && apt-get install -y curl"},
		{`|2 VERSION=1.2 NAME=two words /bin/sh -c make install`, "RUN", "make install"},
		{"/bin/sh -c set -x \t&& make", "RUN", "set -x \t&& make"},
		{`/bin/bash -eo pipefail -c curl x | sh`, "RUN", "curl x | sh"},
		{`/bin/ash -euxo pipefail -c true`, "RUN", "true"},
		{`/usr/bin/env bash`, "", "/usr/bin/env bash"},
		{`cmd /S /C #(nop)  ENV A=b`, "ENV", "A=b"},
		{`cmd /S /C mkdir C:\app`, "RUN", `mkdir C:\app`},
		{`powershell -Command $ErrorActionPreference = 'Stop'; Get-Date`, "RUN", `$ErrorActionPreference = 'Stop'; Get-Date`},
		{`powershell -NoProfile -ExecutionPolicy Bypass -Command Get-Date`, "RUN", "Get-Date"},
		// BuildKit.
		{`RUN /bin/sh -c apk add --no-cache git # buildkit`, "RUN", "apk add --no-cache git"},
		{`RUN |1 TOKEN=x /bin/sh -c make # buildkit`, "RUN", "make"},
		{`RUN |1 SHELL=/bin/sh -c /bin/bash -o pipefail -c make # buildkit`, "RUN", "make"},
		{`COPY /out /usr/local/bin # buildkit`, "COPY", "/out /usr/local/bin"},
		{`ENV PATH=/usr/local/bin:/usr/bin`, "ENV", "PATH=/usr/local/bin:/usr/bin"},
		{`EXPOSE map[80/tcp:{}]`, "EXPOSE", "map[80/tcp:{}]"},
		{`HEALTHCHECK &{["CMD" "true"] "0s" "0s" "0s" "0s" '\x00'}`, "HEALTHCHECK", `&{["CMD" "true"] "0s" "0s" "0s" "0s" '\x00'}`},
		{`WORKDIR /app`, "WORKDIR", "/app"},
		{"RUN /bin/sh -c <<EOF\napt-get update\nEOF # buildkit", "RUN", "<<EOF\napt-get update\nEOF"},
		{`RUN pip install x`, "RUN", "pip install x"},
		{`USER 1000`, "USER", "1000"},
		{`maintainer somebody`, "MAINTAINER", "somebody"},
		// Others, which note what they like.
		{`bazel build ...`, "", "bazel build ..."},
		{`jib-gradle-plugin:3.4.0`, "", "jib-gradle-plugin:3.4.0"},
		{`ko build ko://example.com/app`, "", "ko build ko://example.com/app"},
		{`Run a thing`, "", "Run a thing"},
		{`sh`, "", "sh"},
		{`/bin/sh -c `, "RUN", ""},
		{`|`, "RUN", "|"},
		{`|1 A=b`, "RUN", "|1 A=b"},
		{``, "", ""},
		{`# buildkit`, "", ""},
	} {
		in, args := parseStep(tt.in)
		if in != tt.instruction || args != tt.arguments {
			t.Errorf("%q: %q %q, want %q %q", tt.in, in, args, tt.instruction, tt.arguments)
		}
	}
}

// TestStepsAndLayers: which step made which layer, and what is said where that
// cannot be told.
func TestStepsAndLayers(t *testing.T) {
	history := []v1.History{
		{CreatedBy: "ADD rootfs /"}, {CreatedBy: "ENV A=b", EmptyLayer: true}, {CreatedBy: "RUN make"},
	}
	out, told := steps(history, 2)
	if !told || out[0].Layer != 0 || out[1].Layer != -1 || !out[1].Empty || out[2].Layer != 1 {
		t.Errorf("told %t, steps %+v", told, out)
	}
	out, told = steps(history, 3)
	if told || out[0].Layer != -1 || out[2].Layer != -1 {
		t.Errorf("counts differ: told %t, steps %+v", told, out)
	}
	if out, told = steps(nil, 0); !told || len(out) != 0 {
		t.Errorf("nothing: told %t, steps %+v", told, out)
	}
}

// TestMissingOfTheConfiguration: what the configuration does not say is missing.
func TestMissingOfTheConfiguration(t *testing.T) {
	srv := newServer(t)
	bare := func(edit func(*v1.ConfigFile)) v1.Image {
		img := imageOf(t, v1.Config{}, gzLayer(t, baseFiles()...))
		file, err := img.ConfigFile()
		must(t, err)
		file = file.DeepCopy()
		edit(file)
		img, err = withConfig(img, file)
		must(t, err)
		return img
	}
	ref := srv.push(t, "app:bare", bare(func(c *v1.ConfigFile) { c.History, c.Created = nil, v1.Time{} }))
	im, res := collect(t, options(t, ref)).image(t, ref)
	for path, status := range map[string]facts.Gap{"created": facts.Unknown, "history": facts.Unknown, "base": facts.NotAssessed} {
		if res.Missing[path].Status != status || res.Missing[path].Reason == "" {
			t.Errorf("%s: %+v", path, res.Missing[path])
		}
	}
	if im.Layers[0].Step != -1 {
		t.Errorf("step %d", im.Layers[0].Step)
	}
	ref = srv.push(t, "app:some", bare(func(c *v1.ConfigFile) {
		c.History = append(c.History, v1.History{CreatedBy: "RUN more"})
		c.Config.User = "nobody-knows"
		c.Config.ExposedPorts = map[string]struct{}{"http": {}, "80": {}, "9000-9002/udp": {}, "70000/tcp": {}}
		c.Config.Labels = map[string]string{"org.opencontainers.image.base.name": "registry.example:5000/base/debian:12@sha256:aa"}
	}))
	im, res = collect(t, options(t, ref)).image(t, ref)
	if m := res.Missing["history"]; !m.Partial || m.Status != facts.NotAssessed {
		t.Errorf("history: %+v", m)
	}
	if m := res.Missing["config.user_uid"]; m.Status != facts.Unknown || !strings.Contains(m.Reason, "nobody-knows") {
		t.Errorf("config.user_uid: %+v", m)
	}
	if m := res.Missing["config.exposed_ports"]; !m.Partial || !strings.Contains(m.Reason, "http") || len(im.Config.ExposedPorts) != 4 {
		t.Errorf("config.exposed_ports: %+v, %v", m, im.Config.ExposedPorts)
	}
	if _, ok := res.Missing["base"]; ok || im.Base.Tag != "12" || im.Base.Digest != "sha256:aa" {
		t.Errorf("base %+v", im.Base)
	}
}

// TestSecretsOfTheConfiguration are found and stand nowhere in the facts.
func TestSecretsOfTheConfiguration(t *testing.T) {
	const token = "ghp_012345678901234567890123456789abcdef"
	srv := newServer(t)
	img := imageOf(t, v1.Config{
		Env: []string{"GITHUB_TOKEN=" + token, "PATH=/bin"}, Labels: map[string]string{"note": "use " + token},
		Entrypoint: []string{"/app", "--token=" + token}, Cmd: []string{token},
	}, gzLayer(t, baseFiles()...))
	file, err := img.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.History = []v1.History{{CreatedBy: "RUN |1 TOKEN=" + token + " /bin/sh -c make # buildkit", Comment: "pushed with " + token}}
	img, err = withConfig(img, file)
	must(t, err)
	ref := srv.push(t, "app:1", img)
	s := collect(t, options(t, ref))
	im, res := s.image(t, ref)
	found := map[string]bool{}
	for _, c := range im.ConfigSecrets {
		found[c.Where] = true
		if c.Where == "history" && c.Index != 0 {
			t.Errorf("history step %d", c.Index)
		}
	}
	for _, where := range []string{"env", "label", "entrypoint", "cmd", "history"} {
		if !found[where] {
			t.Errorf("nothing found in %s: %+v", where, im.ConfigSecrets)
		}
	}
	if raw := jsonOf(t, res, s.targets); strings.Contains(raw, token) {
		t.Errorf("the facts hold the secret: %s", raw)
	}
	if im.History[0].Arguments != "make" {
		t.Errorf("arguments %q", im.History[0].Arguments)
	}
}

// FuzzParseStep: any text gives one of the instructions or none, and nothing is added.
func FuzzParseStep(f *testing.F) {
	for _, s := range []string{`/bin/sh -c #(nop)  CMD ["x"]`, `RUN |1 A=b /bin/sh -c make # buildkit`, "|3 x", "cmd /S /C x", "powershell -Command x", "\xff\x00", "RUN", " ENV  A "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in, args := parseStep(s)
		known := in == ""
		for _, i := range instructions {
			known = known || in == i
		}
		if !known || !strings.Contains(s, args) {
			t.Errorf("%q: %q %q", s, in, args)
		}
		steps([]v1.History{{CreatedBy: s}, {CreatedBy: s, EmptyLayer: true}}, 1)
	})
}

// TestAddMissing: of two reasons for one fact the worse status counts, but what nobody
// was meant to look at is not half seen.
func TestAddMissing(t *testing.T) {
	off := facts.Missing{Status: facts.NotAssessed, Reason: "switched off"}
	part := facts.Missing{Status: facts.Unknown, Partial: true, Reason: "a layer is hidden"}
	hint := facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: "a step may be left out"}
	none := facts.Missing{Status: facts.Unknown, Reason: "nothing could be read"}
	for _, tt := range []struct{ a, b, want facts.Missing }{
		{off, part, off},
		{part, off, off},
		{part, hint, facts.Missing{Status: facts.Unknown, Partial: true, Reason: part.Reason + "; " + hint.Reason}},
		{hint, none, facts.Missing{Status: facts.Unknown, Reason: hint.Reason + "; " + none.Reason}},
		{off, none, facts.Missing{Status: facts.Unknown, Reason: off.Reason + "; " + none.Reason}},
		{part, part, part},
	} {
		got := map[string]facts.Missing{"x": tt.a}
		addMissing(got, map[string]facts.Missing{"x": tt.b})
		if got["x"] != tt.want {
			t.Errorf("%+v and %+v: %+v, want %+v", tt.a, tt.b, got["x"], tt.want)
		}
	}
}
