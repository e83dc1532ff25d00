package inventory

import (
	"bytes"
	"context"
	"path"
	"strings"
)

// wants says who reads a file.
type wants struct {
	area    string // of facts.Image that lacks something if the reading goes wrong
	text    func(p string, data []byte) error
	random  func(ctx context.Context, p string, f *spooled) error
	secrets bool
	hash    bool
	program bool // random is for a compiled program, if it is one
	script  bool // it may start an SSH daemon
}

func (w *wants) none() bool {
	return w.text == nil && w.random == nil && !w.secrets && !w.hash && !w.script
}

// wants chooses the readers of a file by its path and mode.
func (s *LayerScan) wants(e Entry) wants {
	w := wants{secrets: s.wantsSecrets(e), hash: s.opts.Malware != nil}
	if e.Size == 0 && !systemFile(e.Path) {
		return w
	}
	w.text, w.random, w.area = s.reader(e.Path)
	if w.text == nil && w.random == nil && executable(e) {
		w.random, w.program, w.script, w.area = s.addBinary, true, true, "packages"
	}
	w.script = w.script || supervised(e.Path)
	return w
}

// reader chooses the reader of a file by its path.
func (s *LayerScan) reader(p string) (text func(string, []byte) error, random func(context.Context, string, *spooled) error, area string) {
	if text = s.languageReader(p); text != nil {
		return text, nil, "packages"
	}
	switch {
	case javaArchive(p):
		return nil, s.addJar, "packages"
	case strings.HasSuffix(p, ".egg"):
		return nil, s.addEgg, "packages"
	}
	// The rest has fixed places.
	top, _, _ := strings.Cut(p, "/")
	switch top {
	case "etc", "usr", "lib", "var", "root", "docker-entrypoint.d", "aarch64-bottlerocket-linux-gnu", "x86_64-bottlerocket-linux-gnu", "nix":
		return s.systemReader(p)
	default:
		return nil, nil, ""
	}
}

// languageReader returns the reader of a file that a package manager of a language
// leaves behind, wherever it is.
func (s *LayerScan) languageReader(p string) func(string, []byte) error {
	switch base := path.Base(p); base {
	case "package.json":
		return s.addPackageJSON
	case "installed.json":
		return s.addComposer
	case "packages.lock.json":
		return s.addNuGetLock
	case "packages.config":
		return s.addNuGetConfig
	case "Cargo.lock":
		return s.addCargoLock
	case "Cargo.toml":
		return s.addCargoManifest
	case "Manifest.toml":
		return s.addJuliaManifest
	case "Project.toml":
		return s.addJuliaProject
	case "version.php":
		if path.Base(path.Dir(p)) == "wp-includes" {
			return s.addWordPress
		}
	default:
		switch ext := path.Ext(base); {
		case pythonMetadata(p):
			return s.addPython
		case ext == ".gemspec" && gemspec(p):
			return s.addGem
		case ext == ".json" && strings.HasSuffix(base, ".deps.json"):
			return s.addDotNetDeps
		case ext == ".json" && condaMeta(p):
			return s.addConda
		case ext == ".props" && strings.HasSuffix(strings.ToLower(p), "packages.props"):
			return s.addPackagesProps
		case (ext == ".json" || ext == ".spdx" || ext == ".cdx") && sbomFile(p):
			return s.addSBOM
		}
	}
	return nil
}

// systemReader returns the reader of a file of the operating system.
func (s *LayerScan) systemReader(p string) (text func(string, []byte) error, random func(context.Context, string, *spooled) error, area string) {
	switch {
	case p == "lib/apk/db/installed", p == "usr/lib/apk/db/installed":
		return s.addAPK, nil, "packages"
	case rpmDatabase(p):
		return nil, s.addRPM, "packages"
	case p == chiselManifest:
		return s.addChisel, nil, "packages"
	case p == rpmManifest:
		return s.addRPMManifest, nil, "packages"
	case bottlerocketInventory(p):
		return s.addBottlerocket, nil, "packages"
	}
	if text = s.dpkgReader(p); text != nil {
		return text, nil, "packages"
	}
	if text = s.buildReader(p); text != nil {
		return text, nil, "packages"
	}
	if text = s.releaseReader(p); text != nil {
		return text, nil, "distribution"
	}
	if text, area = s.accountReader(p); text != nil {
		return text, nil, area
	}
	if text = s.sudoReader(p); text != nil {
		return text, nil, "sudo_rules"
	}
	return nil, nil, ""
}

// systemFile says whether a file means something even when it is empty.
func systemFile(p string) bool {
	return p == "etc/passwd" || p == "etc/shadow" || p == "etc/group" || p == "etc/sudoers" || p == dpkgStatus ||
		p == "lib/apk/db/installed" || p == "usr/lib/apk/db/installed" || rpmDatabase(p) || p == "usr/share/rapidfort/curated.json"
}

// narrow drops readers once the first bytes of the file are known.
func (w *wants) narrow(p string, head []byte) {
	if w.program && !compiled(head) {
		w.random = nil
	}
	w.script = w.script && (supervised(p) || bytes.HasPrefix(head, []byte("#!")))
	if w.secrets && binaryHead(head) && !compiledPython(p) && keystoreRule(p, head) == nil {
		w.secrets = false
	}
}
