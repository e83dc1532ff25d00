package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"path"

	apkversion "github.com/knqyf263/go-apk-version"
)

// addAPK reads the database of apk: records of "letter:value" lines, separated by
// empty lines.
func (s *LayerScan) addAPK(p string, data []byte) error {
	pkgs, bad, err := parseAPK(data, s.own)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, database{Path: p, Format: "apk", Packages: pkgs})
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of its packages have no valid version", bad)
	}
	return err
}

// parseAPK returns the packages, each name once, and how many had to be left out.
// own is called for every installed file.
func parseAPK(data []byte, own func(string)) (pkgs []pkg, bad int, err error) {
	var p pkg
	var version, dir string
	seen := map[string]bool{}
	records := false
	flush := func() {
		switch {
		case p.Name != "" && p.Version != "" && !seen[p.Name]:
			seen[p.Name] = true
			p.ID = p.Name + "@" + p.Version
			pkgs = append(pkgs, p)
		case p.Name != "" && p.Version == "":
			bad++
		}
		p = pkg{}
		// The version stays: a broken record must not pass on another's, so it
		// is cleared; apk writes V: in every record.
		version, dir = "", ""
	}
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) < 2 {
			flush()
			continue
		}
		if line[1] != ':' {
			continue
		}
		value := string(line[2:])
		switch line[0] {
		case 'P':
			p.Name, records = value, true
		case 'V':
			version = value
			if apkversion.Valid(value) {
				p.Version = value
			}
		case 'o':
			p.SrcName, p.SrcVersion = value, version
		case 'A':
			p.Arch = value
		case 'L':
			p.Licenses = []string{oneLine(value)}
		case 'm':
			p.Maintainer = oneLine(value)
		case 'F':
			dir = value
		case 'R':
			own(path.Join(dir, value))
		}
	}
	flush()
	sortPackages(pkgs)
	if !records && len(bytes.TrimSpace(data)) > 0 {
		return nil, 0, errors.New("it holds no package records")
	}
	return pkgs, bad, nil
}
