package inventory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aquasecurity/go-version/pkg/version"
	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// release is what one file says of the operating system.
type release struct {
	Path string `json:"path"`
	// Rank orders the files of one tree: what a distribution writes for itself
	// comes before what it keeps for compatibility.
	Rank    int    `json:"rank"`
	Family  string `json:"family,omitempty"`
	Version string `json:"version,omitempty"`
	Name    string `json:"name,omitempty"` // PRETTY_NAME
	// OtherID and OtherVersion are what os-release says of a distribution that
	// other files tell better, or whose packages nothing here reads.
	OtherID      string `json:"other_id,omitempty"`
	OtherVersion string `json:"other_version,omitempty"`
	Extended     bool   `json:"extended,omitempty"` // Ubuntu ESM
	Supplier     string `json:"supplier,omitempty"` // who rebuilt the packages
	RepoOS       string `json:"repo_os,omitempty"`  // family that the package repositories serve
	RepoRel      string `json:"repo_rel,omitempty"` // its release
}

// The ranks of release files. Debian's derivatives keep debian_version, and Red
// Hat's keep redhat-release, so these come last.
const (
	rankOwn = iota
	rankOSRelease
	rankRedHat
	rankDebian
	rankExtra
)

// releaseReader returns the reader of a file that tells the operating system.
func (s *LayerScan) releaseReader(p string) func(string, []byte) error {
	var parse func([]byte) (release, error)
	switch p {
	case "etc/debian_version":
		parse = firstLine(string(types.Debian), rankDebian)
	case "etc/alpine-release":
		parse = firstLine(string(types.Alpine), rankOwn)
	case "etc/lsb-release":
		parse = parseLSB
	case "var/lib/ubuntu-advantage/status.json":
		parse = parseUbuntuPro
	case "etc/system-release", "usr/lib/system-release":
		parse = parseAmazon
	case "etc/redhat-release":
		parse = parseRedHat
	case "etc/centos-release", "etc/rocky-release", "etc/almalinux-release", "etc/oracle-release",
		"etc/fedora-release", "usr/lib/fedora-release":
		parse = parseRedHatDerivative(path.Base(p))
	case "etc/apk/repositories":
		parse = parseAPKRepositories
	case "usr/share/rapidfort/curated.json":
		parse = func([]byte) (release, error) {
			return release{Rank: rankExtra, Supplier: string(types.SupplierRapidFort)}, nil
		}
	default:
		if !strings.Contains(path.Base(p), "os-release") {
			return nil
		}
		parse = parseOSRelease
	}
	return func(p string, data []byte) error {
		r, err := parse(data)
		if err != nil {
			return err
		}
		if r == (release{Rank: r.Rank}) {
			return nil
		}
		r.Path = p
		s.note(p)
		s.layer.Releases = append(s.layer.Releases, r)
		return nil
	}
}

// firstLine reads a file whose first line is the version.
func firstLine(family string, rank int) func([]byte) (release, error) {
	return func(data []byte) (release, error) {
		line, _, _ := bytes.Cut(data, []byte("\n"))
		v := oneLine(string(line))
		if v == "" {
			return release{}, errors.New("it names no version")
		}
		return release{Rank: rank, Family: family, Version: v}, nil
	}
}

// parseOSRelease reads os-release(5).
func parseOSRelease(data []byte) (release, error) {
	r := release{Rank: rankOSRelease}
	var id, name string
	for line := range bytes.Lines(data) {
		key, value, ok := strings.Cut(string(line), "=")
		if !ok {
			continue
		}
		value = oneLine(strings.Trim(strings.TrimSpace(value), `"'`))
		switch strings.TrimSpace(key) {
		case "ID":
			id = value
		case "NAME":
			name = value
		case "VERSION_ID":
			r.Version = value
		case "PRETTY_NAME":
			r.Name = value
		}
	}
	r.Family = string(familyOf(id, name))
	if r.Family == "" || r.Version == "" {
		r.OtherID, r.OtherVersion = id, r.Version
		r.Family, r.Version = "", ""
	}
	return r, nil
}

// familyOf maps ID and NAME of os-release to the family, empty where other files
// tell it better (Debian, Ubuntu, Amazon) or nothing here reads its packages.
func familyOf(id, name string) types.OSType {
	switch id {
	case "activestate":
		return types.ActiveState
	case "rhel":
		return types.RedHat
	case "centos":
		if name == "CentOS Stream" {
			return types.CentOSStream
		}
		return types.CentOS
	case "rocky":
		return types.Rocky
	case "almalinux":
		return types.Alma
	case "ol":
		return types.Oracle
	case "fedora":
		return types.Fedora
	case "alpine":
		return types.Alpine
	case "bottlerocket":
		return types.Bottlerocket
	case "opensuse-tumbleweed":
		return types.OpenSUSETumbleweed
	case "opensuse-leap", "opensuse":
		return types.OpenSUSELeap
	case "sles":
		return types.SLES
	case "sle-micro", "sl-micro", "sle-micro-rancher":
		return types.SLEMicro
	case "photon":
		return types.Photon
	case "wolfi":
		return types.Wolfi
	case "chainguard":
		return types.Chainguard
	case "azurelinux":
		return types.Azure
	case "mariner":
		return types.CBLMariner
	case "echo":
		return types.Echo
	case "minimos":
		return types.MinimOS
	case "coreos":
		return types.CoreOS
	default:
		return ""
	}
}

// parseLSB reads lsb-release, which only Ubuntu is known by.
func parseLSB(data []byte) (release, error) {
	r := release{Rank: rankOwn}
	ubuntu := false
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if text == "DISTRIB_ID=Ubuntu" {
			ubuntu = true
		}
		if v, ok := strings.CutPrefix(text, "DISTRIB_RELEASE="); ok && ubuntu {
			r.Family, r.Version = string(types.Ubuntu), oneLine(v)
			return r, nil
		}
	}
	return r, nil
}

// parseUbuntuPro says whether extended maintenance is switched on.
func parseUbuntuPro(data []byte) (release, error) {
	var status struct {
		Services []struct {
			Name   string `json:"name"`
			Status string `json:"status"`
		} `json:"services"`
	}
	if err := json.Unmarshal(data, &status); err != nil {
		return release{}, err
	}
	r := release{Rank: rankExtra}
	for _, sv := range status.Services {
		if sv.Name == "esm-infra" && sv.Status == "enabled" {
			r.Family, r.Extended = string(types.Ubuntu), true
		}
	}
	return r, nil
}

// parseAmazon reads system-release, whose first words tell Amazon Linux and its
// generation.
func parseAmazon(data []byte) (release, error) {
	r := release{Rank: rankOwn}
	for line := range bytes.Lines(data) {
		text := string(line)
		words := strings.Fields(text)
		switch {
		case strings.HasPrefix(text, "Amazon Linux release 2") && len(words) >= 5:
			r.Version = strings.Join(words[3:], " ")
		case strings.HasPrefix(text, "Amazon Linux release 2"):
			continue
		case strings.HasPrefix(text, "Amazon Linux") && len(words) > 2:
			r.Version = strings.Join(words[2:], " ")
		default:
			continue
		}
		r.Family = string(types.Amazon)
		return r, nil
	}
	return r, nil
}

var redhatLine = regexp.MustCompile(`(.*) release (\d[\d\.]*)`)

// parseRedHat reads redhat-release, which all descendants of Red Hat have.
func parseRedHat(data []byte) (release, error) {
	name, ver, err := redhatRelease(data)
	if err != nil {
		return release{}, err
	}
	r := release{Rank: rankRedHat, Version: ver}
	switch name {
	case "centos", "centos linux":
		r.Family = string(types.CentOS)
	case "rocky", "rocky linux":
		r.Family = string(types.Rocky)
	case "alma", "almalinux", "alma linux":
		r.Family = string(types.Alma)
	case "oracle", "oracle linux", "oracle linux server":
		r.Family = string(types.Oracle)
	case "fedora", "fedora linux":
		r.Family = string(types.Fedora)
	default:
		r.Family = string(types.RedHat)
	}
	return r, nil
}

// parseRedHatDerivative reads a distribution's own file. A name that is not the
// distribution's (CentOS Stream has a centos-release) says nothing.
func parseRedHatDerivative(file string) func([]byte) (release, error) {
	return func(data []byte) (release, error) {
		name, ver, err := redhatRelease(data)
		if err != nil {
			return release{}, err
		}
		var family types.OSType
		switch {
		case file == "centos-release" && (name == "centos" || name == "centos linux"):
			family = types.CentOS
		case file == "rocky-release" && (name == "rocky" || name == "rocky linux"):
			family = types.Rocky
		case file == "almalinux-release" && (name == "alma" || name == "almalinux" || name == "alma linux"):
			family = types.Alma
		case file == "oracle-release":
			family = types.Oracle
		case file == "fedora-release" && (name == "fedora" || name == "fedora linux"):
			family = types.Fedora
		default:
			return release{Rank: rankOwn}, nil
		}
		return release{Rank: rankOwn, Family: string(family), Version: ver}, nil
	}
}

func redhatRelease(data []byte) (name, ver string, err error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	m := redhatLine.FindStringSubmatch(strings.TrimSpace(string(line)))
	if m == nil {
		return "", "", errors.New(`its first line is not "NAME release VERSION"`)
	}
	return strings.ToLower(oneLine(m[1])), m[2], nil
}

var repositoryURL = regexp.MustCompile(`(https*|ftp)://[0-9A-Za-z.-]+/([A-Za-z]+)/v?([0-9A-Za-z_.-]+)/`)

// parseAPKRepositories finds the release that the package repositories serve: the
// newest that is named, and edge before all.
func parseAPKRepositories(data []byte) (release, error) {
	r := release{Rank: rankExtra}
	for line := range bytes.Lines(data) {
		m := repositoryURL.FindStringSubmatch(string(line))
		if m == nil {
			continue
		}
		if r.RepoOS != "" && r.RepoOS != m[2] {
			return release{}, errors.New("its repositories belong to different distributions")
		}
		r.RepoOS = m[2]
		switch {
		case r.RepoRel == "":
			r.RepoRel = m[3]
		case r.RepoRel == "edge" || m[3] == "edge":
			r.RepoRel = "edge"
		default:
			have, err1 := version.Parse(r.RepoRel)
			next, err2 := version.Parse(m[3])
			if err1 == nil && err2 == nil && next.GreaterThan(have) {
				r.RepoRel = m[3]
			}
		}
	}
	if r.RepoOS != string(types.Alpine) {
		return release{Rank: rankExtra}, nil
	}
	return r, nil
}

// operatingSystem merges what the release files of one tree say. other is set where
// only os-release says something, and of a distribution that nothing here knows.
func operatingSystem(list []release) (os types.OS, name, other string) {
	slices.SortStableFunc(list, func(a, b release) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Path, b.Path))
	})
	otherVersion := ""
	for _, r := range list {
		os.Merge(types.OS{
			Family: types.OSType(r.Family), Name: r.Version,
			Extended: r.Extended, Supplier: types.Supplier(r.Supplier),
		})
		name = cmp.Or(name, r.Name)
		if other == "" {
			other, otherVersion = r.OtherID, r.OtherVersion
		}
	}
	if os.Family != "" || otherVersion == "" {
		return os, name, other
	}
	// Their own files are missing, as in an image that was cut down.
	switch other {
	case "debian":
		os.Family, os.Name = types.Debian, otherVersion
	case "ubuntu":
		os.Family, os.Name = types.Ubuntu, otherVersion
	case "amzn":
		os.Family, os.Name = types.Amazon, otherVersion
	}
	return os, name, other
}
