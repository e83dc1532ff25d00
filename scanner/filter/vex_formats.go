package filter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
)

// openVEX reads an OpenVEX 0.2 document (github.com/openvex/spec).
func openVEX(raw []byte) ([]Statement, error) {
	type component struct {
		ID          string            `json:"@id"`
		Identifiers map[string]string `json:"identifiers"`
	}
	var doc struct {
		Timestamp  time.Time `json:"timestamp"`
		Statements []struct {
			Vulnerability struct {
				ID      string   `json:"@id"`
				Name    string   `json:"name"`
				Aliases []string `json:"aliases"`
			} `json:"vulnerability"`
			Timestamp time.Time `json:"timestamp"`
			Products  []struct {
				component
				Subcomponents []component `json:"subcomponents"`
			} `json:"products"`
			Status          string `json:"status"`
			Justification   string `json:"justification"`
			ImpactStatement string `json:"impact_statement"`
		} `json:"statements"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	purl := func(c component) string {
		if p := c.Identifiers["purl"]; p != "" {
			return p
		}
		return c.ID
	}
	out := make([]Statement, 0, len(doc.Statements))
	for i, s := range doc.Statements {
		st := Statement{
			IDs:    append([]string{cmp.Or(s.Vulnerability.Name, s.Vulnerability.ID)}, s.Vulnerability.Aliases...),
			Status: s.Status, Justification: join(s.Justification, s.ImpactStatement), At: s.Timestamp,
		}
		if st.At.IsZero() {
			st.At = doc.Timestamp
		}
		switch s.Status {
		case "not_affected", "fixed", "affected", "under_investigation":
		default:
			return nil, fmt.Errorf("statement %d: status %q: OpenVEX knows not_affected, affected, fixed, under_investigation", i, s.Status)
		}
		if st.IDs[0] == "" {
			return nil, fmt.Errorf("statement %d names no vulnerability", i)
		}
		for _, p := range s.Products {
			product := Product{Purl: purl(p.component)}
			for _, sub := range p.Subcomponents {
				product.Parts = append(product.Parts, purl(sub))
			}
			st.Products = append(st.Products, product)
		}
		out = append(out, st)
	}
	return out, nil
}

// cycloneDXVEX reads the analyses of a CycloneDX document. A vulnerability
// affects components of the document, named by their reference or, in a document
// of its own, by a package URL.
func cycloneDXVEX(raw []byte) ([]Statement, error) {
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return nil, err
	}
	if bom.Vulnerabilities == nil {
		return nil, errors.New("it has no vulnerabilities, so it says nothing")
	}
	refs := map[string]string{}
	var product string
	if bom.Metadata != nil && bom.Metadata.Component != nil {
		product = bom.Metadata.Component.PackageURL
		refs[bom.Metadata.Component.BOMRef] = product
	}
	if bom.Components != nil {
		componentRefs(*bom.Components, refs)
	}
	var out []Statement
	for _, v := range *bom.Vulnerabilities {
		status, known := cycloneDXStatus(v.Analysis)
		if !known {
			continue
		}
		s := Statement{IDs: []string{v.ID}, Status: status, Justification: join(string(v.Analysis.Justification), v.Analysis.Detail)}
		for _, stamp := range []string{v.Analysis.LastUpdated, v.Analysis.FirstIssued, v.Updated} {
			if at, err := time.Parse(time.RFC3339, stamp); err == nil {
				s.At = at
				break
			}
		}
		if v.References != nil {
			for _, r := range *v.References {
				s.IDs = append(s.IDs, r.ID)
			}
		}
		if v.Affects != nil {
			for _, a := range *v.Affects {
				purl := cmp.Or(refs[a.Ref], refs[linkedRef(a.Ref)], a.Ref)
				for _, meant := range atVersions(purl, a.Range, status) {
					if product != "" && purl != product {
						s.Products = append(s.Products, Product{Purl: product, Parts: []string{meant}})
						continue
					}
					s.Products = append(s.Products, Product{Purl: meant})
				}
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// atVersions narrows what an analysis says of a component to the versions that it
// lists. One that takes findings away does so for single versions that are called
// unaffected, and for no other: a range of versions has an order that each kind of
// package has its own of. One that keeps findings keeps them all.
func atVersions(purl string, versions *[]cdx.AffectedVersions, status string) []string {
	if versions == nil || len(*versions) == 0 || status != "not_affected" && status != "fixed" {
		return []string{purl}
	}
	var out []string
	for _, v := range *versions {
		p, err := packageurl.FromString(purl)
		if err != nil || v.Version == "" || v.Status != cdx.VulnerabilityStatusNotAffected || p.Version != "" && p.Version != v.Version {
			continue
		}
		p.Version = v.Version
		out = append(out, p.ToString())
	}
	return out
}

// componentRefs maps references to package URLs, nested components too.
func componentRefs(components []cdx.Component, refs map[string]string) {
	for _, c := range components {
		refs[c.BOMRef] = c.PackageURL
		if c.Components != nil {
			componentRefs(*c.Components, refs)
		}
	}
}

// linkedRef is the reference behind a BOM-Link: urn:cdx:SERIAL/VERSION#REF.
func linkedRef(link string) string {
	if !strings.HasPrefix(link, "urn:cdx:") {
		return ""
	}
	_, ref, _ := strings.Cut(link, "#")
	return ref
}

// cycloneDXStatus maps an analysis to the states of VEX; false where there is none.
func cycloneDXStatus(a *cdx.VulnerabilityAnalysis) (string, bool) {
	if a == nil {
		return "", false
	}
	switch a.State {
	case cdx.IASNotAffected, cdx.IASFalsePositive:
		return "not_affected", true
	case cdx.IASResolved, cdx.IASResolvedWithPedigree:
		return "fixed", true
	case cdx.IASExploitable:
		return "affected", true
	case cdx.IASInTriage:
		return "under_investigation", true
	default:
		return "", false
	}
}

// join puts the texts that are not empty together.
func join(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "; ")
}
