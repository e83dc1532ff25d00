package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// htmlRows writes the table of findings, of which there may be 100,000. The
// template needs some 40 µs for a row, so the cells are written by hand, with the
// escapes that the template has for text. Only text and attributes that cannot
// come from a target are written so: addresses stay with the template, which
// knows what a link may hold.
type htmlRows struct {
	w      *bufio.Writer
	t      *template.Template
	escape *strings.Replacer
	checks map[*scanner.Rule]string // the cell of a check, made once
	links  map[string]string        // the link to an address, made once
}

func newHTMLRows(w *bufio.Writer, t *template.Template) *htmlRows {
	return &htmlRows{
		w: w, t: t, checks: map[*scanner.Rule]string{}, links: map[string]string{},
		escape: strings.NewReplacer("\x00", "\uFFFD", `"`, "&#34;", "&", "&amp;", "'", "&#39;", "+", "&#43;", "<", "&lt;", ">", "&gt;"),
	}
}

// write writes a row for each finding that is shown. The report is sorted by
// target first; readers want the worst first.
func (h *htmlRows) write(r *scanner.Report, o Options) error {
	for _, s := range severities() {
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.Severity != s || s < o.MinSeverity {
				continue
			}
			if err := h.row(f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *htmlRows) row(f *scanner.Finding) error {
	severity := f.Severity.String()
	h.markup(`<tr data-s="`, severity, `"`)
	if f.Suppressed != nil {
		h.markup(` class="suppressed"`)
	}
	h.markup(`><td class="`, severity, `"><b>`, severity, `</b>`)
	if f.Baseline == scanner.BaselineNew {
		h.markup(" new")
	}
	check, err := h.check(f.Rule)
	if err != nil {
		return err
	}
	h.markup(`</td><td>`, check, `</td><td>`)
	h.place(f)
	h.markup(`</td><td><span class="msg">`)
	h.text(f.Message)
	h.markup(`</span>`)
	if err := h.vulnerability(f.Vulnerability); err != nil {
		return err
	}
	h.suppressed(f.Suppressed)
	h.markup(`</td><td><code>`)
	h.text(htmlEvidence(f))
	h.markup("</code></td></tr>\n")
	return nil
}

// place is the resource, the file in it, and the layer that brought it.
func (h *htmlRows) place(f *scanner.Finding) {
	h.text(f.Resource.ID)
	if place := fileLine(f); place != "" {
		h.markup(`<br><code>`)
		h.text(place)
		h.markup(`</code>`)
	}
	l := f.Layer
	if l == nil {
		return
	}
	h.markup(`<br><span class="dim">layer `, strconv.Itoa(l.Index))
	if l.Instruction != "" {
		h.markup(`: <code>`)
		h.text(fmt.Sprintf("%.120s", Clean(l.Instruction)))
		h.markup(`</code>`)
	}
	h.markup(`</span>`)
}

func (h *htmlRows) vulnerability(v *scanner.Vulnerability) error {
	if v == nil {
		return nil
	}
	if v.FixedVersion != "" {
		h.markup(`<br>Fixed in `)
		h.text(v.FixedVersion)
	}
	if v.PrimaryURL == "" {
		return nil
	}
	link, ok := h.links[v.PrimaryURL]
	if !ok {
		var err error
		if link, err = h.made("more", v.PrimaryURL); err != nil {
			return err
		}
		h.links[v.PrimaryURL] = link
	}
	h.markup(link)
	return nil
}

func (h *htmlRows) suppressed(s *scanner.Suppression) {
	if s == nil {
		return
	}
	h.markup(`<br><b>Suppressed</b> by `)
	h.text(s.By)
	h.markup(`: `)
	h.text(s.Reason)
	if s.Expiry != "" {
		h.markup(`, until `)
		h.text(s.Expiry)
	}
	if s.Owner != "" {
		h.markup(`, `)
		h.text(s.Owner)
	}
}

// check is the cell of a check: its id, which leads to how to mend it, and title.
func (h *htmlRows) check(r *scanner.Rule) (string, error) {
	if cell, ok := h.checks[r]; ok {
		return cell, nil
	}
	cell, err := h.made("check", r)
	h.checks[r] = cell
	return cell, err
}

// made is what a part of the template makes of data.
func (h *htmlRows) made(part string, data any) (string, error) {
	var b strings.Builder
	err := h.t.ExecuteTemplate(&b, part, data)
	return b.String(), err
}

// markup writes what is HTML already. The writer keeps its error.
func (h *htmlRows) markup(parts ...string) {
	for _, s := range parts {
		_, _ = h.w.WriteString(s)
	}
}

// text writes text from a target, cleaned and escaped. The writer keeps its error.
func (h *htmlRows) text(s string) { _, _ = h.escape.WriteString(h.w, Clean(s)) }

// htmlEvidence is the evidence in one line: path and value.
func htmlEvidence(f *scanner.Finding) string {
	parts := make([]string, 0, len(f.Evidence))
	for _, e := range f.Evidence {
		value, err := json.Marshal(e.Value)
		if err != nil {
			value = []byte(fmt.Sprint(e.Value))
		}
		parts = append(parts, e.Path+" = "+limitText(string(value), 200))
	}
	return Clean(strings.Join(parts, "; "))
}
