package inventory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/aquasecurity/trivy/pkg/purl"
	ttypes "github.com/aquasecurity/trivy/pkg/types"
	debversion "github.com/knqyf263/go-deb-version"
	rpmversion "github.com/knqyf263/go-rpm-version"

	"github.com/postscan/postscan/scanner/facts"
)

// sbomFile says whether the file's name promises a bill of materials. Those of
// Python packages describe what is compiled into them, not what is installed.
func sbomFile(p string) bool {
	if strings.Contains(p, ".dist-info/sboms/") {
		return false
	}
	for _, suffix := range []string{".spdx", ".spdx.json", ".cdx", ".cdx.json"} {
		if strings.HasSuffix(p, suffix) {
			return true
		}
	}
	return false
}

// sbom is what a bill of materials lists.
type sbom struct {
	OS    types.OS
	Parts []sbomPart
	// Nameless are components with a version, which no package URL identifies.
	Nameless []string
}

// sbomPart is one package of a bill of materials.
type sbomPart struct {
	Kind string // application type, or "" for a package of the operating system
	Pkg  pkg
}

// errNoSBOM says that a file is no bill of materials of a known format.
var errNoSBOM = errors.New("it is neither CycloneDX (JSON or XML) nor SPDX 2 (JSON or tag-value)")

// SBOM is what a bill of materials says.
type SBOM struct {
	// Distribution is the one that it names; family "none" where it names none.
	Distribution facts.Distribution
	// Packages have a package URL of a kind that vulnerabilities are known for. Path
	// is where the document says that they were found, Layer is -1.
	Packages []facts.Package
	// Nameless lists components that have no such URL ("openssl 3.0.2"): nobody can
	// say which vulnerabilities they have.
	Nameless []string
}

// ReadSBOM reads a CycloneDX (JSON or XML) or SPDX 2 (JSON or tag-value) document.
func ReadSBOM(data []byte) (*SBOM, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		var err error
		if data, err = jsonOfXML(data); err != nil {
			return nil, err
		}
	}
	doc, err := parseSBOM(data)
	if err != nil {
		return nil, err
	}
	out := &SBOM{
		Distribution: facts.Distribution{Family: cmp.Or(string(doc.OS.Family), "none"), Version: doc.OS.Name},
		Nameless:     doc.Nameless,
	}
	for _, part := range doc.Parts {
		if part.Kind == "" {
			out.Packages = append(out.Packages, part.Pkg.fact(string(doc.OS.Family), &doc.OS))
		} else {
			out.Packages = append(out.Packages, part.Pkg.fact(part.Kind, nil))
		}
	}
	sortFacts(out.Packages)
	slices.Sort(out.Nameless)
	return out, nil
}

// jsonOfXML turns the XML form of CycloneDX into the JSON form.
func jsonOfXML(data []byte) ([]byte, error) {
	bom := cdx.NewBOM()
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatXML).Decode(bom); err != nil {
		return nil, fmt.Errorf("%w: %s", errNoSBOM, oneLine(err.Error()))
	}
	if !strings.HasPrefix(bom.XMLNS, "http://cyclonedx.org/schema/bom") {
		return nil, errNoSBOM
	}
	return json.Marshal(bom)
}

// addSBOM reads a bill of materials that an image brings: what its builder says
// is installed, beside what can be seen.
func (s *LayerScan) addSBOM(p string, data []byte) error {
	doc, err := parseSBOM(data)
	if errors.Is(err, errNoSBOM) {
		s.opts.Log.Debug("no bill of materials", "path", p)
		return nil
	}
	if err != nil {
		return unlessFixture(p, err)
	}
	db := database{Path: p, Format: "sbom"}
	apps := map[string][]pkg{}
	for _, part := range doc.Parts {
		pk := part.Pkg
		if part.Kind == "" {
			db.Packages = append(db.Packages, pk)
			continue
		}
		// Bitnami's documents describe the component that they lie in, and name
		// files relative to it.
		if strings.HasPrefix(p, "opt/bitnami/") {
			pk.Path = path.Join(path.Dir(p), pk.Path)
		}
		apps[part.Kind] = append(apps[part.Kind], pk)
	}
	if len(db.Packages) > 0 {
		sortPackages(db.Packages)
		s.note(p)
		s.layer.Databases = append(s.layer.Databases, db)
	}
	for kind, pkgs := range apps {
		sortPackages(pkgs)
		s.note(p)
		s.layer.Applications = append(s.layer.Applications, application{Type: kind, Path: p, SBOM: true, Packages: pkgs})
	}
	return nil
}

func parseSBOM(data []byte) (*sbom, error) {
	var head struct {
		BOMFormat string `json:"bomFormat"`
		SPDXID    string `json:"SPDXID"`
		Context   any    `json:"@context"`
		// These make it a signed statement about a document.
		PayloadType   string `json:"payloadType"`
		PredicateType string `json:"predicateType"`
	}
	if spdxText.Match(data) {
		return parseSPDXText(data), nil
	}
	err := unmarshalFirst(data, &head)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s", errNoSBOM, oneLine(err.Error()))
	case head.BOMFormat == "CycloneDX":
		return parseCycloneDX(data)
	case head.SPDXID == "SPDXRef-DOCUMENT":
		return parseSPDX(data)
	case head.PayloadType != "" || head.PredicateType != "":
		return nil, errors.New("it is an attestation; only the bare bill of materials can be read")
	case strings.Contains(fmt.Sprint(head.Context), "spdx.org/rdf/3"):
		return nil, fmt.Errorf("%w: it is SPDX 3", errNoSBOM)
	default:
		return nil, errNoSBOM
	}
}

// spdxText is how the tag-value form of SPDX begins; comments may stand before it.
var spdxText = regexp.MustCompile(`\A(?:\s*#[^\n]*\n|\s+)*SPDXVersion\s*:`)

// sbomItem is a package of either format before its URL is taken apart.
type sbomItem struct {
	name, version, group, url, path, digest string
	srcName, srcVersion                     string
	srcEpoch, srcRelease                    string
	licenses                                []string
}

// add takes the package URL apart. What has none, or one of a kind that nothing
// is known about, is no package; with a version it is named, as software that nobody
// can say anything of. Containers and files are no software of their own.
func (d *sbom) add(it sbomItem) {
	u, err := purl.FromString(it.url)
	if err != nil || u.Name == "" || u.Class() == ttypes.ClassUnknown {
		if it.version != "" && !strings.HasPrefix(it.url, "pkg:oci/") && !strings.HasPrefix(it.url, "pkg:docker/") {
			d.Nameless = append(d.Nameless, oneLine(it.name+" "+it.version))
		}
		return
	}
	found := u.Package()
	part := sbomPart{Pkg: pkg{
		Name: found.Name, Version: found.Version, Epoch: found.Epoch, Release: found.Release, Arch: found.Arch,
		Modularity: found.Modularitylabel, Purl: it.url, Path: strings.TrimPrefix(it.path, "/"), Digest: it.digest,
		Licenses: it.licenses,
	}}
	p := &part.Pkg
	switch {
	case u.Type == "cocoapods" || u.Type == "maven" || u.Type == "gradle" || u.Type == "bitnami":
		// The name from the URL is the one that advisories use.
	case it.group != "":
		p.Name = it.group + "/" + it.name
	case it.name != "":
		p.Name = it.name
	}
	if u.Class() == ttypes.ClassOSPkg {
		p.ID = p.Name + "@" + u.Version
		osPackage(p, u, it)
	} else {
		part.Kind = string(u.LangType())
	}
	d.Parts = append(d.Parts, part)
}

// osPackage fills in what the advisories of distributions are matched by.
func osPackage(p *pkg, u *purl.PackageURL, it sbomItem) {
	srcVersion := it.srcVersion
	switch u.Type {
	case "deb":
		if v, err := debversion.NewVersion(u.Version); err == nil {
			p.Version, p.Release = v.Version(), v.Revision()
			p.Epoch = max(p.Epoch, v.Epoch())
		}
		if v, err := debversion.NewVersion(srcVersion); err == nil {
			p.SrcEpoch, p.SrcVersion, p.SrcRelease = v.Epoch(), v.Version(), v.Revision()
		}
	case "rpm":
		if srcVersion != "" {
			v := rpmversion.NewVersion(srcVersion)
			p.SrcEpoch, p.SrcVersion, p.SrcRelease = v.Epoch(), v.Version(), v.Release()
		}
	default:
		p.SrcVersion = srcVersion
	}
	if it.srcRelease != "" {
		p.SrcVersion, p.SrcRelease = it.srcVersion, it.srcRelease
	}
	if epoch, err := strconv.Atoi(it.srcEpoch); err == nil {
		p.SrcEpoch = epoch
	}
	p.SrcName = cmp.Or(it.srcName, p.Name)
	if p.SrcVersion == "" {
		p.SrcEpoch, p.SrcVersion, p.SrcRelease = p.Epoch, p.Version, p.Release
	}
}

// parseCycloneDX reads the JSON form. Components may hold components.
func parseCycloneDX(data []byte) (*sbom, error) {
	type component struct {
		Type       string `json:"type"`
		Group      string `json:"group"`
		Name       string `json:"name"`
		Version    string `json:"version"`
		PURL       string `json:"purl"`
		Properties []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"properties"`
		Hashes []struct {
			Alg     string `json:"alg"`
			Content string `json:"content"`
		} `json:"hashes"`
		Licenses []struct {
			Expression string `json:"expression"`
			License    struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"license"`
		} `json:"licenses"`
		Components []json.RawMessage `json:"components"`
	}
	var doc struct {
		Metadata struct {
			Component json.RawMessage `json:"component"`
		} `json:"metadata"`
		Components []json.RawMessage `json:"components"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return nil, err
	}
	out := &sbom{}
	pending := slices.Clone(doc.Components)
	if len(doc.Metadata.Component) > 0 { // what the document is about comes first
		pending = append([]json.RawMessage{doc.Metadata.Component}, pending...)
	}
	for root := len(doc.Metadata.Component) > 0; len(pending) > 0; root = false {
		raw := pending[0]
		pending = pending[1:]
		var c component
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, err
		}
		pending = append(pending, c.Components...)
		if c.Type == "operating-system" {
			if out.OS.Family == "" {
				out.OS = types.OS{Family: types.OSType(c.Name), Name: c.Version}
				out.OS.Normalize()
			}
			continue
		}
		it := sbomItem{name: c.Name, group: c.Group, url: c.PURL}
		if slices.Contains([]string{"library", "framework", "application"}, c.Type) && !root {
			it.version = c.Version
		}
		for _, pr := range c.Properties {
			switch pr.Name {
			case "aquasecurity:trivy:SrcName":
				it.srcName = pr.Value
			case "aquasecurity:trivy:SrcVersion":
				it.srcVersion = pr.Value
			case "aquasecurity:trivy:SrcEpoch":
				it.srcEpoch = pr.Value
			case "aquasecurity:trivy:SrcRelease":
				it.srcRelease = pr.Value
			case "aquasecurity:trivy:FilePath", "syft:location:0:path":
				it.path = cmp.Or(it.path, pr.Value)
			}
		}
		for _, h := range c.Hashes {
			if h.Alg == "SHA-1" {
				it.digest = "sha1:" + h.Content
			}
		}
		for _, l := range c.Licenses {
			if text := cmp.Or(l.Expression, l.License.ID, l.License.Name); text != "" {
				it.licenses = append(it.licenses, oneLine(text))
			}
		}
		out.add(it)
	}
	return out, nil
}

// spdxSource is how SPDX documents name the source package of a binary one.
const spdxSource = "built package from: "

// parseSPDX reads the JSON form of SPDX 2.
func parseSPDX(data []byte) (*sbom, error) {
	var doc struct {
		Packages []struct {
			ID      string `json:"SPDXID"`
			Name    string `json:"name"`
			Version string `json:"versionInfo"`
			Source  string `json:"sourceInfo"`
			Purpose string `json:"primaryPackagePurpose"`
			License string `json:"licenseDeclared"`
			Refs    []struct {
				Category string `json:"referenceCategory"`
				Type     string `json:"referenceType"`
				Locator  string `json:"referenceLocator"`
			} `json:"externalRefs"`
		} `json:"packages"`
		Files []struct {
			ID   string `json:"SPDXID"`
			Name string `json:"fileName"`
		} `json:"files"`
		Describes     []string `json:"documentDescribes"`
		Relationships []struct {
			From string `json:"spdxElementId"`
			Type string `json:"relationshipType"`
			To   string `json:"relatedSpdxElement"`
		} `json:"relationships"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, f := range doc.Files {
		files[f.ID] = f.Name
	}
	pathOf, about := map[string]string{}, map[string]bool{}
	for _, id := range doc.Describes {
		about[id] = true
	}
	for _, r := range doc.Relationships {
		if r.Type == "DESCRIBES" {
			about[r.To] = true
		}
		if name, ok := files[r.To]; ok && r.Type == "CONTAINS" {
			pathOf[r.From] = name
		}
	}
	out := &sbom{}
	for _, p := range doc.Packages {
		if strings.HasPrefix(p.ID, "SPDXRef-OperatingSystem") {
			if out.OS.Family == "" {
				out.OS = types.OS{Family: types.OSType(p.Name), Name: p.Version}
				out.OS.Normalize()
			}
			continue
		}
		it := sbomItem{name: p.Name, path: pathOf[p.ID]}
		if slices.Contains([]string{"", "LIBRARY", "FRAMEWORK", "APPLICATION"}, p.Purpose) && !about[p.ID] && p.Version != "NOASSERTION" {
			it.version = p.Version
		}
		if src, ok := strings.CutPrefix(p.Source, spdxSource); ok {
			it.srcName, it.srcVersion, _ = strings.Cut(src, " ")
		}
		if p.License != "" && p.License != "NONE" && p.License != "NOASSERTION" {
			it.licenses = []string{oneLine(p.License)}
		}
		for _, r := range p.Refs {
			if r.Type == "purl" && strings.HasPrefix(strings.ReplaceAll(r.Category, "_", "-"), "PACKAGE-MANAGER") {
				it.url = r.Locator
				break
			}
		}
		out.add(it)
	}
	return out, nil
}

// parseSPDXText reads the tag-value form: a package starts at PackageName.
func parseSPDXText(data []byte) *sbom {
	out := &sbom{}
	var it sbomItem
	flush := func() {
		if it.name != "" {
			out.add(it)
		}
	}
	for line := range bytes.Lines(data) {
		tag, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch tag {
		case "PackageName":
			flush()
			it = sbomItem{name: value}
		case "PackageVersion":
			if value != "NOASSERTION" {
				it.version = value
			}
		case "FileName", "SnippetSPDXID":
			flush() // what follows is no package's
			it = sbomItem{}
		case "PackageSourceInfo":
			value = strings.TrimSuffix(strings.TrimPrefix(value, "<text>"), "</text>")
			if src, ok := strings.CutPrefix(value, spdxSource); ok {
				it.srcName, it.srcVersion, _ = strings.Cut(src, " ")
			}
		case "ExternalRef":
			if f := strings.Fields(value); len(f) == 3 && f[1] == "purl" && it.url == "" {
				it.url = f[2]
			}
		}
	}
	flush()
	return out
}
