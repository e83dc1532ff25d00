package filter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// Statement is one statement of a VEX document, whatever its format: what is
// said of a vulnerability in a product.
type Statement struct {
	// IDs are the vulnerability's id and aliases.
	IDs []string
	// Products are what the statement is about.
	Products []Product
	// Status is not_affected, fixed, affected or under_investigation.
	Status string
	// Justification says why, in the format's own words.
	Justification string
	// At orders statements: the latest counts. Zero is the oldest.
	At time.Time
	// Place is where the statement was read, for people.
	Place string
}

// Product is a package URL, or an image with the packages in it that are meant.
type Product struct {
	Purl string
	// Parts are package URLs within the product; empty means the product itself,
	// or, where the product is an image, every package in it.
	Parts []string
}

// VEX is a [scanner.Filter] that suppresses the vulnerabilities that VEX
// documents call not affected or fixed.
type VEX struct {
	statements []Statement // oldest first
}

// NewVEX orders the statements by time.
func NewVEX(statements []Statement) *VEX {
	sorted := slices.Clone(statements)
	slices.SortStableFunc(sorted, func(a, b Statement) int { return a.At.Compare(b.At) })
	return &VEX{statements: sorted}
}

// ReadVEX reads an OpenVEX or a CycloneDX document in JSON; name is what errors
// call it.
func ReadVEX(r io.Reader, name string) ([]Statement, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read VEX %s: %w", name, err)
	}
	if len(raw) > maxDocument {
		return nil, fmt.Errorf("read VEX %s: larger than %d MiB", name, maxDocument>>20)
	}
	var kind struct {
		Context   string `json:"@context"`
		BOMFormat string `json:"bomFormat"`
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&kind); err != nil {
		return nil, fmt.Errorf("read VEX %s: %w", name, err)
	}
	var out []Statement
	switch {
	case strings.HasPrefix(kind.Context, "https://openvex.dev/ns"):
		out, err = openVEX(raw)
	case kind.BOMFormat == "CycloneDX":
		out, err = cycloneDXVEX(raw)
	default:
		err = errors.New("it is neither OpenVEX nor CycloneDX in JSON")
	}
	if err != nil {
		return nil, fmt.Errorf("read VEX %s: %w", name, err)
	}
	for i := range out {
		out[i].Place = name
	}
	return out, nil
}

// Apply implements [scanner.Filter]. Of the statements that mean a finding the
// latest counts. A statement that means no finding is no mistake: VEX documents
// speak of more than one image.
func (v *VEX) Apply(r *scanner.Report) error {
	byID := map[string][]int{}
	for i := range v.statements {
		for _, id := range v.statements[i].IDs {
			byID[id] = append(byID[id], i)
		}
	}
	targets := map[string]image{}
	for _, t := range r.Run.Targets {
		targets[t.Ref] = newImage(t)
	}
	purls := map[string]packageurl.PackageURL{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Vulnerability == nil || f.Suppressed != nil {
			continue
		}
		statements := about(byID, f.Vulnerability)
		if len(statements) == 0 {
			continue
		}
		pkg, ok := purls[f.Vulnerability.Purl]
		if !ok {
			pkg, _ = packageurl.FromString(f.Vulnerability.Purl) // no purl, no match by purl
			purls[f.Vulnerability.Purl] = pkg
		}
		for _, k := range slices.Backward(statements) {
			s := &v.statements[k]
			if !s.means(targets[f.Target], pkg) {
				continue
			}
			if s.Status == "not_affected" || s.Status == "fixed" {
				f.Suppressed = &scanner.Suppression{By: "vex", Reason: cmp.Or(s.Status+": "+s.Justification, s.Status) + " (" + s.Place + ")"}
			}
			break
		}
	}
	return nil
}

// about returns the positions of the statements that name a vulnerability by its
// id or another name of it, oldest first.
func about(byID map[string][]int, v *scanner.Vulnerability) []int {
	out := byID[v.ID]
	for _, alias := range v.Aliases {
		if more := byID[alias]; len(more) > 0 {
			out = slices.Concat(out, more)
			slices.Sort(out)
		}
	}
	return out
}

func (s *Statement) means(im image, pkg packageurl.PackageURL) bool {
	return slices.ContainsFunc(s.Products, func(p Product) bool {
		if len(p.Parts) == 0 {
			return im.is(p.Purl) || covers(p.Purl, pkg)
		}
		return im.is(p.Purl) && slices.ContainsFunc(p.Parts, func(part string) bool { return covers(part, pkg) })
	})
}

// covers says whether the statement's package URL means the package: type, name
// space and name are the same, and so are version and qualifiers where the
// statement has them.
func covers(statement string, pkg packageurl.PackageURL) bool {
	if statement == "" || pkg.Name == "" {
		return false
	}
	s, err := packageurl.FromString(statement)
	if err != nil || s.Type != pkg.Type || s.Namespace != pkg.Namespace || s.Name != pkg.Name {
		return false
	}
	if s.Version != "" && s.Version != pkg.Version {
		return false
	}
	have := pkg.Qualifiers.Map()
	for key, value := range s.Qualifiers.Map() {
		if have[key] != value {
			return false
		}
	}
	return s.Subpath == "" || s.Subpath == pkg.Subpath
}

// image is a target as a package URL of type oci could name it.
type image struct {
	repository string // registry/path
	digests    []string
	tag        string
}

func newImage(t facts.Target) image {
	if t.Kind != "image" {
		return image{}
	}
	repository, _, _ := strings.Cut(t.Identity, " ")
	im := image{repository: repository, tag: t.Properties["tag"]}
	for _, key := range []string{"digest", "index_digest"} {
		if d := t.Properties[key]; d != "" {
			im.digests = append(im.digests, d)
		}
	}
	return im
}

// is says whether the package URL (pkg:oci/NAME@DIGEST?repository_url=…&tag=…)
// means the image.
func (im image) is(purl string) bool {
	if im.repository == "" || !strings.HasPrefix(purl, "pkg:oci/") {
		return false
	}
	p, err := packageurl.FromString(purl)
	if err != nil || !strings.EqualFold(p.Name, im.repository[strings.LastIndex(im.repository, "/")+1:]) {
		return false
	}
	if p.Version != "" && !slices.Contains(im.digests, p.Version) {
		return false
	}
	q := p.Qualifiers.Map()
	if url := q["repository_url"]; url != "" {
		url = strings.Replace(url, "index.docker.io/", "docker.io/", 1)
		if !strings.EqualFold(url, im.repository) && !strings.EqualFold(url+"/"+p.Name, im.repository) {
			return false
		}
	}
	return q["tag"] == "" || q["tag"] == im.tag
}
