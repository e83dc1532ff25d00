package inventory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"path"
	"slices"
	"strings"

	debversion "github.com/knqyf263/go-deb-version"
)

const (
	dpkgStatus = "var/lib/dpkg/status"
	dpkgDir    = "var/lib/dpkg/status.d/"
	dpkgInfo   = "var/lib/dpkg/info/"
)

// dpkgScan gathers what belongs together until the end of the layer: the file
// lists of packages are needed with the packages' maintainers.
type dpkgScan struct {
	files map[string][]string // by the name of the list: "package" or "package:architecture"
}

// dpkgReader returns the reader of a file of dpkg.
func (s *LayerScan) dpkgReader(p string) func(string, []byte) error {
	if p == dpkgStatus {
		return s.addDpkgStatus
	}
	dir, name := path.Split(p)
	if dir != dpkgDir && dir != dpkgInfo {
		return nil
	}
	switch {
	case strings.HasSuffix(name, ".md5sums"):
		return s.addDpkgSums
	case dir == dpkgDir:
		return s.addDpkgStatus
	default:
		return nil
	}
}

// addDpkgStatus reads the database of dpkg, or one record of it where an image
// without dpkg keeps each package in a file of its own.
func (s *LayerScan) addDpkgStatus(p string, data []byte) error {
	pkgs, bad, err := parseDpkgStatus(data)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, database{Path: p, Format: "dpkg", Packages: pkgs})
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of its records cannot be read", bad)
	}
	return err
}

// parseDpkgStatus returns the installed packages, and the number of records that
// are broken. Two architectures of one version count as one package.
func parseDpkgStatus(data []byte) (pkgs []pkg, bad int, err error) {
	byID := map[string]pkg{}
	for rest := data; len(rest) > 0; {
		var record []byte
		record, rest, _ = bytes.Cut(rest, []byte("\n\n"))
		if len(bytes.TrimSpace(record)) == 0 {
			continue
		}
		p, ok, err := parseDpkgRecord(record)
		if err != nil {
			bad++
			continue
		}
		if ok {
			byID[p.ID] = p
		}
	}
	for _, p := range byID {
		pkgs = append(pkgs, p)
	}
	sortPackages(pkgs)
	if len(pkgs) == 0 && bad == 0 && len(bytes.TrimSpace(data)) > 0 && !bytes.Contains(data, []byte("Package:")) {
		return nil, 0, errors.New("it holds no package records")
	}
	return pkgs, bad, nil
}

// parseDpkgRecord reads one record. ok is false for a package that is not installed.
func parseDpkgRecord(record []byte) (p pkg, ok bool, err error) {
	h, err := dpkgFields(record)
	if err != nil {
		return pkg{}, false, err
	}
	for word := range strings.FieldsSeq(h["Status"]) {
		if word == "deinstall" || word == "purge" {
			return pkg{}, false, nil
		}
	}
	p = pkg{Name: h["Package"], Arch: h["Architecture"], Maintainer: oneLine(h["Maintainer"])}
	full := h["Version"]
	if p.Name == "" {
		return pkg{}, false, errors.New("a record without a name")
	}
	if full == "" {
		return pkg{}, false, nil // known to dpkg, never installed
	}
	p.ID = p.Name + "@" + full
	p.ThirdParty = thirdParty(h["Maintainer"])
	srcVersion := full
	p.SrcName = p.Name
	if src := h["Source"]; src != "" {
		p.SrcName = src
		if name, v, ok := strings.Cut(src, " ("); ok {
			p.SrcName = strings.TrimSpace(name)
			if v, ok := strings.CutSuffix(strings.TrimSpace(v), ")"); ok && strings.TrimSpace(v) != "" {
				srcVersion = strings.TrimSpace(v)
			}
		}
	}
	v, err := debversion.NewVersion(full)
	if err != nil {
		return pkg{}, false, err
	}
	p.Epoch, p.Version, p.Release = v.Epoch(), v.Version(), v.Revision()
	if v, err = debversion.NewVersion(srcVersion); err != nil {
		return pkg{}, false, err
	}
	p.SrcEpoch, p.SrcVersion, p.SrcRelease = v.Epoch(), v.Version(), v.Revision()
	return p, true, nil
}

// dpkgFields reads the fields of a record that matter.
func dpkgFields(record []byte) (map[string]string, error) {
	fields := make(map[string]string, 8)
	for line := range bytes.Lines(record) {
		if line[0] == ' ' || line[0] == '\t' { // continues a field that does not matter
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			return nil, errors.New("a line is no field")
		}
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		switch key {
		case "Package", "Version", "Status", "Source", "Architecture", "Maintainer":
			if _, twice := fields[key]; !twice {
				fields[key] = string(bytes.TrimSpace(value))
			}
		}
	}
	return fields, nil
}

// addDpkgSums reads the checksums of a package's files, for their names.
func (s *LayerScan) addDpkgSums(p string, data []byte) error {
	if s.dpkg.files == nil {
		s.dpkg.files = map[string][]string{}
	}
	name := strings.TrimSuffix(path.Base(p), ".md5sums")
	var files []string
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		line, err := r.ReadString('\n')
		if _, file, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok {
			files = append(files, file)
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	s.dpkg.files[name] = files
	return nil
}

// finishDpkg marks the files that packages of this layer own. Packages from
// elsewhere own nothing: no advisory of the distribution speaks of what is in them.
func (s *LayerScan) finishDpkg() {
	official := map[string]bool{}
	for _, db := range s.layer.Databases {
		for i := range db.Packages {
			if p := &db.Packages[i]; db.Format == "dpkg" && !p.ThirdParty {
				official[p.Name] = true
			}
		}
	}
	for list, files := range s.dpkg.files {
		name, _, _ := strings.Cut(list, ":") // the rest is the architecture
		if !official[name] {
			continue
		}
		for _, f := range files {
			s.own(f)
		}
	}
	s.dpkg.files = nil
}

// thirdParty says whether the maintainer of a Debian package is known to publish
// outside of the distribution.
func thirdParty(maintainer string) bool {
	if maintainer == "GitHub" || maintainer == "HashiCorp" {
		return true
	}
	return slices.ContainsFunc([]string{
		"support@docker.com", "@nvidia.com", "Google Cloud CLI Authors", "sapmachine@sap.com", "@hashicorp.com",
		"@microsoft.com", "@mongodb.com", "developers@lists.mariadb.org", "dev@couchdb.apache.org", "info@elastic.co",
		"nginx-packaging@f5.com", "@konghq.com", "@cloudflare.com", "support@influxdb.com", "support@gitlab.com",
		"contact@grafana.com", "@datadoghq.com", "@nodesource.com", "info@tailscale.com", "@openrobotics.org",
		"@osrfoundation.org",
	}, func(known string) bool { return strings.Contains(maintainer, known) })
}
