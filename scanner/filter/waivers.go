package filter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/postscan/postscan/scanner"
)

// A Waiver accepts findings until a day. Everything but Resource, Key and Owner
// is required: nobody can tell later why an acceptance without reason or end is
// still there.
type Waiver struct {
	// ID is the check (PS-IMG-001) or the vulnerability (CVE-2021-44228).
	ID string `yaml:"id"`
	// Resource is a pattern for the resource's id or its target; "*" stands for any
	// text. Empty means every resource.
	Resource string `yaml:"resource"`
	// Key is a pattern for the finding's key. Empty means every key.
	Key string `yaml:"key"`
	// Reason says why the finding is accepted.
	Reason string `yaml:"reason"`
	// Owner answers for it.
	Owner string `yaml:"owner"`
	// Expires is the last day on which the waiver holds, YYYY-MM-DD in UTC.
	Expires string `yaml:"expires"`

	// Place is where the waiver was read, for people: "waivers.yaml:7".
	Place string `yaml:"-"`
}

// Waivers is a [scanner.Filter] that suppresses what waivers accept.
type Waivers struct {
	list []Waiver
	now  time.Time
}

// advisoryID is what ids of vulnerabilities look like: CVE-2021-44228,
// GHSA-xxxx-xxxx-xxxx, DSA-5343-1, RUSTSEC-2020-0001, TEMP-0000000-ABCDEF.
var advisoryID = regexp.MustCompile(`^[A-Z][A-Z0-9]+-[A-Za-z0-9][A-Za-z0-9:._-]+$`)

// NewWaivers checks the waivers. known says whether a check of an id exists. The
// error names every waiver that is wrong.
func NewWaivers(list []Waiver, known func(id string) bool, now time.Time) (*Waivers, error) {
	var problems []error
	for _, w := range list {
		if err := w.validate(known); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", w.Place, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Waivers{list: list, now: now.UTC()}, nil
}

func (w *Waiver) validate(known func(id string) bool) error {
	switch {
	case w.ID == "":
		return errors.New("the waiver has no id: name a check (PS-IMG-001) or a vulnerability (CVE-2021-44228)")
	case !known(w.ID) && (strings.HasPrefix(w.ID, "PS-") || !advisoryID.MatchString(w.ID)):
		return fmt.Errorf("the waiver names %q, which is neither a check nor the id of a vulnerability; see: postscan checks list", w.ID)
	case strings.TrimSpace(w.Reason) == "":
		return fmt.Errorf("the waiver for %s has no reason: say why the finding is accepted", w.ID)
	case w.Expires == "":
		return fmt.Errorf("the waiver for %s has no expiry date: add expires: YYYY-MM-DD", w.ID)
	}
	if _, err := time.Parse(time.DateOnly, w.Expires); err != nil {
		return fmt.Errorf("the waiver for %s expires on %q: write a date as YYYY-MM-DD", w.ID, w.Expires)
	}
	return nil
}

// ReadWaivers reads a YAML file of waivers; name is what errors call it. A field
// that nobody knows is an error: a misspelt one would widen the waiver.
func ReadWaivers(r io.Reader, name string) ([]Waiver, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read waivers %s: %w", name, err)
	}
	if len(raw) > maxDocument {
		return nil, fmt.Errorf("read waivers %s: larger than %d MiB", name, maxDocument>>20)
	}
	var doc struct {
		Waivers []yaml.Node `yaml:"waivers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	err = dec.Decode(&doc)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read waivers %s: %w", name, err)
	}
	if err == nil && !errors.Is(dec.Decode(new(yaml.Node)), io.EOF) {
		return nil, fmt.Errorf("read waivers %s: something follows the end of the YAML document (---): put all waivers into one", name)
	}
	list := make([]Waiver, 0, len(doc.Waivers))
	for i := range doc.Waivers {
		w, err := decodeWaiver(&doc.Waivers[i])
		if err != nil {
			return nil, fmt.Errorf("read waivers %s:%d: %w", name, doc.Waivers[i].Line, err)
		}
		w.Place = fmt.Sprintf("%s:%d", name, doc.Waivers[i].Line)
		list = append(list, w)
	}
	return list, nil
}

// maxDocument bounds what is read of a file of waivers or VEX statements.
const maxDocument = 64 << 20

// decodeWaiver decodes one waiver and refuses fields that nobody knows, which
// Node.Decode would skip.
func decodeWaiver(n *yaml.Node) (Waiver, error) {
	var w Waiver
	if n.Kind != yaml.MappingNode {
		return w, errors.New("a waiver is a mapping with id, reason and expires")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := n.Content[i]; key.Value {
		case "id", "resource", "key", "reason", "owner", "expires":
		default:
			return w, fmt.Errorf("line %d: a waiver has no field %q: use id, resource, key, reason, owner, expires", key.Line, key.Value)
		}
	}
	return w, n.Decode(&w)
}

// expired says whether the waiver's last day is over.
func (f *Waivers) expired(w *Waiver) bool {
	last, err := time.Parse(time.DateOnly, w.Expires)
	return err != nil || !f.now.Before(last.AddDate(0, 0, 1))
}

// covers says whether the waiver means the finding, and if not, why not.
func (w *Waiver) covers(f *scanner.Finding) (bool, string) {
	id := f.Rule.ID
	if f.Vulnerability != nil && w.ID != id {
		id = f.Vulnerability.ID
	}
	switch {
	case w.ID != id:
		return false, "another id"
	case w.Resource != "" && !match(w.Resource, f.Resource.ID) && !match(w.Resource, f.Target):
		return false, fmt.Sprintf("the resource is %q, the waiver is for %q", f.Resource.ID, w.Resource)
	case w.Key != "" && !match(w.Key, f.Key):
		return false, fmt.Sprintf("the key is %q, the waiver is for %q", f.Key, w.Key)
	default:
		return true, ""
	}
}

// Apply implements [scanner.Filter]. A waiver that is expired or that no finding
// matches is told in the report's notices.
func (f *Waivers) Apply(r *scanner.Report) error {
	used := make([]int, len(f.list))
	for i := range r.Findings {
		fd := &r.Findings[i]
		for k := range f.list {
			w := &f.list[k]
			if ok, _ := w.covers(fd); !ok {
				continue
			}
			used[k]++
			if fd.Suppressed == nil && !f.expired(w) {
				fd.Suppressed = &scanner.Suppression{By: "waiver", Reason: w.Reason, Owner: w.Owner, Expiry: w.Expires}
			}
		}
	}
	for k := range f.list {
		w := &f.list[k]
		switch {
		case f.expired(w):
			r.Notices = append(r.Notices, scanner.Notice{Source: "waivers", Text: fmt.Sprintf("%s: the waiver for %s expired on %s and waives nothing; it would match %s", w.Place, w.ID, w.Expires, count(used[k], "finding"))})
		case used[k] == 0:
			r.Notices = append(r.Notices, scanner.Notice{Source: "waivers", Text: fmt.Sprintf("%s: the waiver for %s matches no finding; remove it, or mend its resource and key", w.Place, w.ID)})
		}
	}
	return nil
}

// WaiverUse says what one waiver does in a report.
type WaiverUse struct {
	Waiver Waiver
	// State is active, expired or unused.
	State string
	// Hits are the findings that it means.
	Hits []*scanner.Finding
	// Misses are findings of the same id that it does not mean, with the reason.
	Misses []WaiverMiss
}

// WaiverMiss is a finding that a waiver nearly means.
type WaiverMiss struct {
	Finding *scanner.Finding
	Why     string
}

// Explain tells for each waiver which findings it means, and which of the same id
// it does not mean and why.
func (f *Waivers) Explain(r *scanner.Report) []WaiverUse {
	out := make([]WaiverUse, 0, len(f.list))
	for k := range f.list {
		use := WaiverUse{Waiver: f.list[k], State: "active"}
		for i := range r.Findings {
			fd := &r.Findings[i]
			ok, why := f.list[k].covers(fd)
			switch {
			case ok:
				use.Hits = append(use.Hits, fd)
			case why != "another id":
				use.Misses = append(use.Misses, WaiverMiss{Finding: fd, Why: why})
			}
		}
		switch {
		case f.expired(&f.list[k]):
			use.State = "expired"
		case len(use.Hits) == 0:
			use.State = "unused"
		}
		out = append(out, use)
	}
	return out
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
