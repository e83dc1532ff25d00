package web

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
)

//go:embed templates
var templateFiles embed.FS

// view is what a page is made of.
type view struct {
	Title   string
	Version string
	User    *user
	Data    any
}

// pages are the templates, by name.
type pages struct{ byName map[string]*template.Template }

func newPages() (*pages, error) {
	names := []string{"overview", "audit", "run", "target", "findings", "finding", "frameworks", "framework", "login", "error"}
	p := &pages{byName: map[string]*template.Template{}}
	for _, n := range names {
		t, err := template.New("base.html").Funcs(functions()).ParseFS(templateFiles, "templates/base.html", "templates/parts.html", "templates/"+n+".html")
		if err != nil {
			return nil, fmt.Errorf("read the page %s: %w", n, err)
		}
		p.byName[n] = t
	}
	return p, nil
}

func functions() template.FuncMap {
	return template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "never"
			}
			return t.UTC().Format("2006-01-02 15:04") + " UTC"
		},
		"severities": severities,
		"standings":  func() []string { return []string{"open", "suppressed", "fixed", ""} },
		"pair": func(d *audit.Difference, shown int) any {
			return struct {
				D     *audit.Difference
				Shown int
			}{d, shown}
		},
		"list": func(title string, list []audit.Finding, shown int) any {
			return struct {
				Title string
				List  []audit.Finding
				Shown int
			}{title, list, shown}
		},
		"hours": func(h float64) string { return time.Duration(h * float64(time.Hour)).Round(time.Minute).String() },
		"has": func(list []scanner.Severity, s string) bool {
			return slices.ContainsFunc(list, func(x scanner.Severity) bool { return x.String() == s })
		},
		"took": func(from, to time.Time) string {
			if from.IsZero() || to.IsZero() {
				return ""
			}
			return to.Sub(from).Round(time.Second / 10).String()
		},
		"total": func(m map[string]int) (n int) {
			for _, v := range m {
				n += v
			}
			return n
		},
		"address": func(raw string) string { // only what a browser may open
			if u, err := url.Parse(raw); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
				return raw
			}
			return ""
		},
		"clean": clean, "brief": brief, "long": long,
		"text": func(v any) string { return long(fmt.Sprint(v)) },
		"of": func(open map[string]int, audit string) any {
			return struct {
				Open  map[string]int
				Audit string
			}{open, audit}
		},
	}
}

// severities are their names, the worst first.
func severities() []string { return []string{"critical", "high", "medium", "low", "info", "unknown"} }

// write makes a page. A template that fails makes an error, never half a page.
func (p *pages) write(w http.ResponseWriter, log *slog.Logger, code int, name string, v view) {
	var b bytes.Buffer
	if err := p.byName[name].Execute(&b, v); err != nil {
		log.Error("a page could not be made", "page", name, "error", err.Error())
		http.Error(w, "something went wrong here; the log of the server says what", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // who hangs up does not care
}

// page answers with the page that get names, made of what it returns. The title is
// the page's own.
func (s *server) page(get func(*http.Request) (string, any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, data, err := get(r)
		if err != nil {
			s.problem(w, r, err)
			return
		}
		s.pages.write(w, s.Log, http.StatusOK, name, view{Title: strings.ToUpper(name[:1]) + name[1:], Version: s.Version, User: s.user(r), Data: data})
	})
}

// recently is how far back the overview looks.
const recently = 7 * 24 * time.Hour

// latestChanges bounds the changes that the overview looks at.
const latestChanges = 1000

// glance is what the overview shows.
type glance struct {
	*audit.Overview
	Changed *audit.Difference
	Chart   *chart
	Shown   int
}

func (s *server) overviewPage(r *http.Request) (string, any, error) {
	g, err := s.glance.get(r.Context())
	return "overview", g, err
}

// look reads what the overview shows.
func (s *server) look(ctx context.Context) (*glance, error) {
	o, err := s.Store.Overview(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	d, err := s.Store.Latest(ctx, "", now.Add(-recently), now, latestChanges)
	if err != nil {
		return nil, err
	}
	trend, err := s.Store.Trend(ctx, "", now.Add(-90*24*time.Hour))
	if err != nil {
		return nil, err
	}
	return &glance{o, short(d), newChart(trend, now), shownChanges}, nil
}

// shownChanges bounds the changes of a kind that a page lists.
const shownChanges = 25

// short keeps the worst of every list.
func short(d *audit.Difference) *audit.Difference {
	for _, list := range []*[]audit.Finding{&d.New, &d.Fixed, &d.Reopened, &d.Changed} {
		slices.SortStableFunc(*list, func(x, y audit.Finding) int { return cmp.Compare(y.Severity, x.Severity) })
	}
	return d
}

func (s *server) auditPage(r *http.Request) (string, any, error) {
	name := r.PathValue("name")
	o, err := s.glance.get(r.Context())
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(o.Audits, func(a audit.Summary) bool { return a.Name == name })
	if i < 0 {
		return "", nil, fmt.Errorf("%w %q", audit.ErrNoAudit, name)
	}
	def, err := s.Store.Audit(r.Context(), name)
	if err != nil {
		return "", nil, err
	}
	const page = 30
	runs, err := s.Store.Runs(r.Context(), name, r.FormValue("before"), page)
	if err != nil {
		return "", nil, err
	}
	targets, err := s.Store.Targets(r.Context(), name)
	if err != nil {
		return "", nil, err
	}
	now := s.Now()
	trend, err := s.Store.Trend(r.Context(), name, now.Add(-90*24*time.Hour))
	older := ""
	if len(runs) == page {
		older = runs[page-1].ID
	}
	return "audit", struct {
		State   audit.Summary
		Audit   *audit.Audit
		Runs    []audit.Run
		Older   string
		Targets []audit.Target
		Chart   *chart
	}{o.Audits[i], def, runs, older, targets, newChart(trend, now)}, err
}

func (s *server) runPage(r *http.Request) (string, any, error) {
	run, err := s.Store.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	var d *audit.Difference
	if !run.Finished.IsZero() {
		d, err = s.Store.Diff(r.Context(), run.Audit, run.Finished.Add(-time.Microsecond), run.Finished)
	}
	return "run", struct {
		*audit.Run
		Changed *audit.Difference
		Shown   int
	}{run, d, shownChanges}, err
}

// unconfirmed is a check that the last scan of a target could not decide.
type unconfirmed struct {
	Check  string
	Since  time.Time
	Reason string
}

func (s *server) targetPage(r *http.Request) (string, any, error) {
	targets, err := s.Store.Targets(r.Context(), "")
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(targets, func(t audit.Target) bool { return strconv.FormatInt(t.ID, 10) == r.PathValue("id") })
	if i < 0 {
		return "", nil, errNotFound
	}
	findings, next, err := s.Store.Findings(r.Context(), audit.Filter{Target: targets[i].ID, Standing: audit.StandingOpen})
	if err != nil {
		return "", nil, err
	}
	reason, err := s.Store.Unconfirmed(r.Context(), targets[i].ID)
	if err != nil {
		return "", nil, err
	}
	var why []unconfirmed
	for i := range findings {
		f := &findings[i]
		if u := (unconfirmed{f.Check, f.Unconfirmed, reason(f.Check)}); !u.Since.IsZero() && !slices.ContainsFunc(why, func(other unconfirmed) bool { return other.Check == u.Check }) {
			why = append(why, u)
		}
	}
	return "target", struct {
		audit.Target
		Findings []audit.Finding
		More     bool
		Why      []unconfirmed
	}{targets[i], findings, next != nil, why}, err
}

func (s *server) findingsPage(r *http.Request) (string, any, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, bad("the address cannot be read: %s", err)
	}
	if !r.Form.Has("standing") {
		r.Form.Set("standing", string(audit.StandingOpen))
	}
	f, err := filterOf(r)
	if err != nil {
		return "", nil, err
	}
	findings, next, err := s.Store.Findings(r.Context(), f)
	if err != nil {
		return "", nil, err
	}
	more := ""
	if next != nil {
		q := r.Form
		q.Set("after", cursorText(next))
		more = "/findings?" + q.Encode()
	}
	o, err := s.Store.AuditNames(r.Context())
	return "findings", struct {
		Filter   audit.Filter
		Findings []audit.Finding
		Next     string
		Audits   []string
	}{f, findings, more, o}, err
}

func (s *server) findingPage(r *http.Request) (string, any, error) {
	h, err := s.finding(r)
	if err != nil {
		return "", nil, err
	}
	return "finding", struct {
		*audit.History
		Waiver string
	}{h, waiver(&h.Finding, s.Now())}, nil
}

// waiver is what a waiver for the finding looks like, to be copied.
func waiver(f *audit.Finding, now time.Time) string {
	quote := strconv.Quote // makes a YAML string too
	text := "- id: " + quote(f.Check) + "\n  resource: " + quote(f.Resource) + "\n"
	if f.Key != "" {
		text += "  key: " + quote(f.Key) + "\n"
	}
	return text + "  reason: \"\" # why this is accepted\n  owner: \"\"\n  expires: " + now.AddDate(0, 3, 0).Format(time.DateOnly) + "\n"
}

// frameworkState are the open findings of one framework.
type frameworkState struct {
	ID       string
	Controls []controlState
}

type controlState struct {
	ID     string
	Checks []string
	Open   int
}

func (s *server) frameworks(r *http.Request) ([]frameworkState, error) {
	rules, err := s.promises.get(r.Context())
	if err != nil {
		return nil, err
	}
	type control struct{ framework, id string }
	by := map[control]*controlState{}
	for _, p := range rules {
		for _, ref := range p.Rule.References {
			if ref.Framework == "url" {
				continue
			}
			key := control{ref.Framework, ref.Control}
			if by[key] == nil {
				by[key] = &controlState{ID: ref.Control}
			}
			by[key].Checks = append(by[key].Checks, p.Rule.ID)
			by[key].Open += p.Open
		}
	}
	frameworks := map[string]*frameworkState{}
	for key, c := range by {
		if frameworks[key.framework] == nil {
			frameworks[key.framework] = &frameworkState{ID: key.framework}
		}
		frameworks[key.framework].Controls = append(frameworks[key.framework].Controls, *c)
	}
	out := make([]frameworkState, 0, len(frameworks))
	for _, f := range frameworks {
		slices.SortFunc(f.Controls, func(x, y controlState) int { return cmp.Compare(x.ID, y.ID) })
		out = append(out, *f)
	}
	slices.SortFunc(out, func(x, y frameworkState) int { return cmp.Compare(x.ID, y.ID) })
	return out, nil
}

func (s *server) frameworksPage(r *http.Request) (string, any, error) {
	all, err := s.frameworks(r)
	return "frameworks", all, err
}

func (s *server) frameworkPage(r *http.Request) (string, any, error) {
	all, err := s.frameworks(r)
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(all, func(f frameworkState) bool { return f.ID == r.PathValue("id") })
	if i < 0 {
		return "", nil, errNotFound
	}
	return "framework", all[i], nil
}

func (s *server) runNow(w http.ResponseWriter, r *http.Request) {
	id, err := s.Store.Enqueue(r.Context(), r.PathValue("name"))
	if err != nil {
		s.problem(w, r, err)
		return
	}
	s.wrote()
	http.Redirect(w, r, "/runs/"+id, http.StatusSeeOther) //nolint:gosec // the id is the database's own
}
