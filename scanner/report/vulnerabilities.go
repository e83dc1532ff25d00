package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// vulnerablePackage is a package with its vulnerabilities, as one row.
type vulnerablePackage struct {
	name, version string
	counts        [scanner.SeverityCritical + 1]int
	fixed         []string // versions that mend, in the order of severity; each once
	ids           []string // worst first, each once
	paths         []string
	system        bool // a package of the distribution, whose path tells nothing
}

// severityColumns are the columns of counts, worst first.
var severityColumns = [...]struct {
	head string
	sev  scanner.Severity
}{
	{"C", scanner.SeverityCritical},
	{"H", scanner.SeverityHigh},
	{"M", scanner.SeverityMedium},
	{"L", scanner.SeverityLow},
	{"?", scanner.SeverityUnknown},
}

// vulnerabilities writes the table by package: counts by severity, the version
// that mends, and the ids.
func (t *table) vulnerabilities(g group) {
	rows := foldPackages(g.findings)
	t.item("  ", Clean(g.rule.ID)+"  "+Clean(g.rule.Title)+fmt.Sprintf(": %d in %s", len(g.findings), count(len(rows), "package")))
	name, version, fixed, number := widths(rows, t.width-4)
	head := "    " + pad("PACKAGE", name) + "  " + pad("INSTALLED", version)
	for _, c := range severityColumns {
		head += fmt.Sprintf(" %*s", number, c.head)
	}
	t.line(t.dim(head + "  FIXED IN"))
	for i, r := range rows {
		if i == maxPackages {
			t.line(fmt.Sprintf("    … and %s more: -o json lists them", count(len(rows)-maxPackages, "package")))
			break
		}
		line := "    " + pad(shorten(r.name, name, true), name) + "  " + pad(shorten(r.version, version, false), version)
		for _, c := range severityColumns {
			cell := fmt.Sprintf(" %*s", number, "·")
			if n := r.counts[c.sev]; n > 0 {
				cell = t.severity(c.sev, fmt.Sprintf(" %*d", number, n))
			}
			line += cell
		}
		t.line(line + "  " + shorten(fixedIn(r.fixed), fixed, false))
		t.line("      " + t.dim(idLine(r, t.width-6)))
	}
}

// foldPackages makes one row for each package and version. Findings come worst
// first, and so do rows.
func foldPackages(fs []*scanner.Finding) []*vulnerablePackage {
	var rows []*vulnerablePackage
	index := map[string]*vulnerablePackage{}
	for _, f := range fs {
		v := f.Vulnerability
		key := v.PackageType + "\x00" + v.Package + "\x00" + v.Version
		r := index[key]
		if r == nil {
			r = &vulnerablePackage{name: Clean(v.Package), version: Clean(v.Version), system: systemPackage(v.Purl)}
			index[key] = r
			rows = append(rows, r)
		}
		column := f.Severity
		if column == scanner.SeverityInfo { // advisories know no such severity
			column = scanner.SeverityLow
		}
		r.counts[column]++
		r.fixed = addNew(r.fixed, Clean(v.FixedVersion))
		r.ids = addNew(r.ids, Clean(v.ID))
		r.paths = addNew(r.paths, Clean(v.Path))
	}
	slices.SortStableFunc(rows, func(a, b *vulnerablePackage) int {
		return worstFirst(section{counts: a.counts}, section{counts: b.counts})
	})
	return rows
}

func addNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func systemPackage(purl string) bool {
	for _, p := range []string{"pkg:deb/", "pkg:apk/", "pkg:rpm/"} {
		if strings.HasPrefix(purl, p) {
			return true
		}
	}
	return false
}

// widths shares width columns out among names, installed and mending versions,
// and says how wide a number is.
func widths(rows []*vulnerablePackage, width int) (name, version, fixed, number int) {
	name, version, fixed, number = len("PACKAGE"), len("INSTALLED"), len("FIXED IN"), 2
	for _, r := range rows {
		name = max(name, columns(r.name))
		version = max(version, columns(r.version))
		fixed = max(fixed, columns(fixedIn(r.fixed)))
		for _, n := range r.counts {
			number = max(number, len(strconv.Itoa(n)))
		}
	}
	room := max(width-len(severityColumns)*(number+1)-2-2, 24)
	fixed = min(fixed, max(room*3/10, room-name-version))
	version = min(version, max((room-fixed)*2/5, room-fixed-name))
	return min(name, room-fixed-version), version, fixed, number
}

// fixedIn names the version that mends; of several, the one that mends the worst.
func fixedIn(versions []string) string {
	switch len(versions) {
	case 0:
		return "not fixed"
	case 1:
		return versions[0]
	default:
		return versions[0] + ", …"
	}
}

// idLine names as many ids as fit, and where a language package is.
func idLine(r *vulnerablePackage, width int) string {
	where := ""
	if !r.system && len(r.paths) > 0 {
		where = "in " + r.paths[0]
		if n := len(r.paths); n > 1 {
			where += fmt.Sprintf(" and %d more", n-1)
		}
		where = shorten(where, width/2, true)
	}
	room := width
	if where != "" {
		room -= columns(where) + 2
	}
	line := ""
	for i, id := range r.ids {
		next := id
		if i > 0 {
			next = line + ", " + id
		}
		rest := len(r.ids) - i - 1
		more := ""
		if rest > 0 {
			more = fmt.Sprintf(" +%d", rest)
		}
		if i > 0 && columns(next+more) > room {
			return join(line+fmt.Sprintf(" +%d", rest+1), where)
		}
		line = next
	}
	return join(line, where)
}

func join(ids, where string) string {
	if where == "" {
		return ids
	}
	return ids + "  " + where
}
