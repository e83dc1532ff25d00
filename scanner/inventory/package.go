package inventory

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/aquasecurity/trivy/pkg/purl"
	"github.com/aquasecurity/trivy/pkg/scan/utils"
	ttypes "github.com/aquasecurity/trivy/pkg/types"

	"github.com/postscan/postscan/scanner/facts"
)

// pkg is one package as a layer keeps it.
type pkg struct {
	// ID tells packages of one database apart; empty is name and version.
	ID         string   `json:"id,omitempty"`
	Name       string   `json:"name"`
	Version    string   `json:"version,omitempty"`
	Epoch      int      `json:"epoch,omitempty"`
	Release    string   `json:"release,omitempty"`
	Arch       string   `json:"arch,omitempty"`
	SrcName    string   `json:"src_name,omitempty"`
	SrcVersion string   `json:"src_version,omitempty"`
	SrcEpoch   int      `json:"src_epoch,omitempty"`
	SrcRelease string   `json:"src_release,omitempty"`
	Modularity string   `json:"modularity,omitempty"`
	Licenses   []string `json:"licenses,omitempty"`
	Maintainer string   `json:"maintainer,omitempty"`
	ThirdParty bool     `json:"third_party,omitempty"`
	Digest     string   `json:"digest,omitempty"`
	// Path is set where it is not the path of the application.
	Path string `json:"path,omitempty"`
	// Purl is set where the record itself names one (an SBOM).
	Purl string `json:"purl,omitempty"`
	// Order puts the main module of a binary before what it is built from.
	Order int `json:"order,omitempty"`
}

// database is one file of a package manager.
type database struct {
	Path     string `json:"path"`
	Format   string `json:"format"` // dpkg, apk, rpm, bottlerocket or sbom
	Packages []pkg  `json:"packages"`
}

// application is one file that proves installed packages of a language.
type application struct {
	Type     string `json:"type"` // as trivy names it
	Path     string `json:"path"`
	SBOM     bool   `json:"sbom,omitempty"`
	Packages []pkg  `json:"packages"`
}

func sortPackages(list []pkg) {
	slices.SortFunc(list, func(a, b pkg) int {
		return cmp.Or(
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Release, b.Release), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Digest, b.Digest))
	})
}

// key tells packages of one database apart, as trivy does.
func (p *pkg) key() string {
	if p.ID != "" {
		return p.ID
	}
	return p.Name + "@" + p.full()
}

// full is the version with epoch and release.
func (p *pkg) full() string {
	return utils.FormatVersion(types.Package{Epoch: p.Epoch, Version: p.Version, Release: p.Release})
}

// same says whether both are the same version of the same package, for finding
// the layer that brought it.
func (p *pkg) same(o *pkg) bool {
	return p.Name == o.Name && p.Version == o.Version && p.Release == o.Release
}

// fact makes the fact of a package of the given type; os is nil for a language
// package.
func (p *pkg) fact(kind string, os *types.OS) facts.Package {
	f := facts.Package{
		Type: kind, Class: "language",
		Name: p.Name, Version: p.Version, Epoch: p.Epoch, Release: p.Release, Arch: p.Arch,
		SourceName: p.SrcName, SourceVersion: p.SrcVersion, SourceEpoch: p.SrcEpoch, SourceRelease: p.SrcRelease,
		Modularity: p.Modularity, Licenses: p.Licenses, Maintainer: p.Maintainer, ThirdParty: p.ThirdParty,
		Digest: p.Digest, Purl: p.Purl, Path: p.Path, Layer: -1,
	}
	if os != nil {
		f.Class = "os"
	}
	if f.Purl == "" && p.Name != "" && (os == nil || os.Family != "") {
		f.Purl = p.url(kind, os)
	}
	return f
}

// url makes the package URL, empty where the package cannot have one.
func (p *pkg) url(kind string, os *types.OS) string {
	u, err := purl.New(types.TargetType(kind), ttypes.Metadata{OS: os}, types.Package{
		ID: p.ID, Name: p.Name, Version: p.Version, Epoch: p.Epoch, Release: p.Release, Arch: p.Arch,
		Modularitylabel: p.Modularity,
	})
	if err != nil || u == nil {
		return ""
	}
	return u.String()
}

// oneLine keeps what a record says short and on one line.
func oneLine(s string) string {
	const most = 512
	s = plain(strings.Join(strings.Fields(s), " "))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// plain replaces what is no text: broken UTF-8, which would not survive being
// written as JSON, and control characters, which would steer a terminal.
func plain(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
		}
	}
	return true
}

// clean makes every text of a package plain.
func (p *pkg) clean() {
	for _, s := range []*string{
		&p.ID, &p.Name, &p.Version, &p.Release, &p.Arch, &p.SrcName, &p.SrcVersion, &p.SrcRelease, &p.Modularity, &p.Maintainer,
		&p.Digest, &p.Path, &p.Purl,
	} {
		*s = plain(*s)
	}
	for i := range p.Licenses {
		p.Licenses[i] = plain(p.Licenses[i])
	}
}

// cleanPackages makes packages plain and drops those without a name.
func cleanPackages(list []pkg) []pkg {
	for i := range list {
		list[i].clean()
	}
	return slices.DeleteFunc(list, func(p pkg) bool { return p.Name == "" })
}
