package vulndb

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// Where the lists are published.
const (
	DefaultKEVURL  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	DefaultEPSSURL = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
)

const (
	kevFile  = "kev.json"
	epssFile = "epss.csv.gz"

	// The real ones have 1.5 MB and, unpacked, 10 MB; anything near these limits
	// is something else.
	maxKEV      = 64 << 20
	maxEPSS     = 256 << 20
	maxEPSSRows = 5_000_000
)

// list is a list of the user: where it is, when its publisher made it, and what
// it says or what is wrong with it.
type list[T any] struct {
	path    string // empty where none is configured
	updated time.Time
	content T
	err     error
}

func (l list[T]) ok() bool { return l.path != "" && l.err == nil }

// openList reads the named file, or the default one where none is named and it
// is there.
func openList[T any](named, fallback string, read func(io.Reader) (T, time.Time, error)) list[T] {
	path := named
	if path == "" {
		if _, err := os.Stat(fallback); errors.Is(err, fs.ErrNotExist) {
			return list[T]{}
		}
		path = fallback
	}
	l := list[T]{path: path}
	f, err := os.Open(path)
	if err != nil {
		l.err = fmt.Errorf("open the list: %w", err)
		return l
	}
	defer f.Close() //nolint:errcheck // read only
	l.content, l.updated, err = read(f)
	if err != nil {
		l.err = fmt.Errorf("read %s: %w", path, err)
	}
	return l
}

func (l list[T]) source(part Part) facts.Source {
	s := facts.Source{Name: string(part), Location: l.path, Updated: l.updated.UTC()}
	if l.err != nil {
		s.Problem = l.err.Error()
	}
	return s
}

// missing says why no answer can have what the list tells.
func (l list[T]) missing(what, flag string) facts.Missing {
	if l.err != nil {
		return facts.Missing{Status: facts.Unknown, Partial: true, Reason: fmt.Sprintf("the %s is not readable: %v; fetch it again with `postscan db update %s`", what, l.err, flag)}
	}
	return facts.Missing{Status: facts.NotAssessed, Partial: true, Reason: fmt.Sprintf("no %s is configured; give --%s FILE, or fetch it with `postscan db update %s`", what, flag, flag)}
}

// kevList is CISA's catalogue: the numbers of vulnerabilities that are known to
// be exploited.
type kevList map[cve]struct{}

func (l kevList) has(id string) bool {
	n, ok := parseCVE(id)
	if !ok {
		return false
	}
	_, listed := l[n]
	return listed
}

// readKEV reads CISA's catalogue (JSON). It refuses one that is empty, names
// something that is no CVE, or holds another number of entries than it says,
// as a part of the list would make the rest look harmless.
func readKEV(r io.Reader) (kevList, time.Time, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKEV+1))
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(b) > maxKEV {
		return nil, time.Time{}, fmt.Errorf("it is larger than %d bytes, which no catalogue of exploited vulnerabilities is", maxKEV)
	}
	var doc struct {
		DateReleased    time.Time `json:"dateReleased"`
		Count           *int      `json:"count"`
		Vulnerabilities []struct {
			ID string `json:"cveID"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, time.Time{}, fmt.Errorf("it is no catalogue of exploited vulnerabilities in CISA's JSON format: %w", err)
	}
	if len(doc.Vulnerabilities) == 0 {
		return nil, time.Time{}, errors.New("it has no \"vulnerabilities\", so it is no catalogue of exploited vulnerabilities in CISA's JSON format")
	}
	if doc.Count != nil && *doc.Count != len(doc.Vulnerabilities) {
		return nil, time.Time{}, fmt.Errorf("it says that it has %d entries and has %d: it is not whole", *doc.Count, len(doc.Vulnerabilities))
	}
	out := make(kevList, len(doc.Vulnerabilities))
	for i, v := range doc.Vulnerabilities {
		n, ok := parseCVE(v.ID)
		if !ok {
			return nil, time.Time{}, fmt.Errorf("entry %d has %q for a cveID, which is none", i+1, clip(v.ID))
		}
		out[n] = struct{}{}
	}
	return out, doc.DateReleased, nil
}

// epssList gives the probability, from 0 to 1, that a vulnerability is exploited
// within 30 days.
type epssList map[cve]float32

// highest returns the highest probability of the ids, 0 where the list has none.
func (l epssList) highest(ids []string) float64 {
	var best float32
	for _, id := range ids {
		if n, ok := parseCVE(id); ok {
			best = max(best, l[n])
		}
	}
	// By way of its shortest decimal form, so that 0.97 does not become 0.9700000286.
	f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(best), 'g', -1, 32), 64)
	return f
}

// readEPSS reads the scores as FIRST publishes them: CSV, perhaps gzipped, with
// a comment line that has the date, a header line, and one line for each CVE.
func readEPSS(r io.Reader) (epssList, time.Time, error) {
	br := bufio.NewReader(r)
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("unpack gzip: %w", err)
		}
		defer zr.Close() //nolint:errcheck // read only
		br = bufio.NewReader(zr)
	}
	bounded := &io.LimitedReader{R: br, N: maxEPSS}
	lines := bufio.NewScanner(bounded)
	out := epssList{}
	var updated time.Time
	header, n := false, 0
	for lines.Scan() {
		n++
		line := strings.TrimRight(lines.Text(), "\r")
		switch {
		case strings.HasPrefix(line, "#"):
			updated = epssDate(line)
			continue
		case !header:
			if !strings.HasPrefix(line, "cve,epss") {
				return nil, time.Time{}, fmt.Errorf("line %d is %q, and the header \"cve,epss,percentile\" was expected", n, clip(line))
			}
			header = true
			continue
		case line == "":
			continue
		}
		if len(out) >= maxEPSSRows {
			return nil, time.Time{}, fmt.Errorf("it has more than %d lines, which no list of scores has", maxEPSSRows)
		}
		id, score, err := epssLine(line)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("line %d: %w", n, err)
		}
		out[id] = score
	}
	switch err := lines.Err(); {
	case err != nil:
		return nil, time.Time{}, fmt.Errorf("after line %d: %w", n, err)
	case bounded.N <= 0:
		return nil, time.Time{}, fmt.Errorf("it is larger than %d bytes, which no list of scores is", maxEPSS)
	case len(out) == 0:
		return nil, time.Time{}, errors.New("it has no scores")
	}
	return out, updated, nil
}

// epssLine reads "CVE-2021-44228,0.97565,0.99996".
func epssLine(line string) (cve, float32, error) {
	id, rest, ok := strings.Cut(line, ",")
	n, isCVE := parseCVE(id)
	if !ok || !isCVE {
		return 0, 0, fmt.Errorf("%q does not begin with a CVE and a comma", clip(line))
	}
	text, _, _ := strings.Cut(rest, ",")
	score, err := strconv.ParseFloat(text, 32)
	if err != nil || !(score >= 0 && score <= 1) {
		return 0, 0, fmt.Errorf("%q has no probability from 0 to 1", clip(line))
	}
	return n, float32(score), nil
}

// epssDate finds the date in "#model_version:v2025.03.14,score_date:2025-06-01T00:00:00+0000".
func epssDate(line string) time.Time {
	for part := range strings.SplitSeq(strings.TrimPrefix(line, "#"), ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(part), "score_date:")
		if !ok {
			continue
		}
		for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, value); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

// cve is the number of a CVE, its year and sequence in one word: the lists have
// some 300,000, and as text they would take five times the memory.
type cve uint64

const sequenceBits = 48

// parseCVE reads "CVE-2021-44228".
func parseCVE(id string) (cve, bool) {
	rest, ok := strings.CutPrefix(id, "CVE-")
	if !ok {
		return 0, false
	}
	y, s, ok := strings.Cut(rest, "-")
	if !ok || len(y) != 4 || len(s) < 4 {
		return 0, false
	}
	year, err := strconv.ParseUint(y, 10, 16)
	if err != nil {
		return 0, false
	}
	seq, err := strconv.ParseUint(s, 10, sequenceBits)
	if err != nil {
		return 0, false
	}
	return cve(year<<sequenceBits | seq), true
}

// clip keeps what a file says short enough for an error.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
