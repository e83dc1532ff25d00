package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
)

//go:embed openapi.json
var openAPI []byte

// api adds the routes for programs. openapi.json describes them; a test holds the
// two together.
func (s *server) api(mux *http.ServeMux) {
	for path, get := range map[string]func(*http.Request) (any, error){
		"/api/v1/overview":           func(r *http.Request) (any, error) { return s.Store.Overview(r.Context()) },
		"/api/v1/audits/{name}":      func(r *http.Request) (any, error) { return s.Store.Audit(r.Context(), r.PathValue("name")) },
		"/api/v1/audits/{name}/runs": s.getRuns,
		"/api/v1/runs/{id}":          func(r *http.Request) (any, error) { return s.Store.Run(r.Context(), r.PathValue("id")) },
		"/api/v1/runs/{id}/report":   func(r *http.Request) (any, error) { return s.Store.Report(r.Context(), r.PathValue("id")) },
		"/api/v1/targets":            s.getTargets,
		"/api/v1/findings":           s.getFindings,
		"/api/v1/findings/{id}":      func(r *http.Request) (any, error) { return s.finding(r) },
		"/api/v1/diff":               s.getDiff,
		"/api/v1/trend":              s.getTrend,
	} {
		mux.Handle("GET "+path, s.need(audit.Viewer, s.json(get)))
	}
	mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI) // who hangs up does not care
	})
	mux.Handle("POST /api/v1/audits/{name}/runs", s.need(audit.Operator, http.HandlerFunc(s.postRun)))
	mux.Handle("PUT /api/v1/uploads/{name}/{id}", s.need(audit.Uploader, http.HandlerFunc(s.upload)))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, "the API has nothing there; see /api/v1/openapi.json")
	})
}

// json answers with what get returns.
func (s *server) json(get func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := get(r)
		if err != nil {
			s.problem(w, r, err)
			return
		}
		s.write(w, http.StatusOK, v)
	})
}

func (s *server) write(w http.ResponseWriter, code int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		s.Log.Error("an answer could not be written as JSON", "error", err.Error())
		http.Error(w, `{"error": "something went wrong here; the log of the server says what"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // who hangs up does not care
}

func (s *server) getRuns(r *http.Request) (any, error) {
	if _, err := s.Store.Audit(r.Context(), r.PathValue("name")); err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", 50, 1000)
	if err != nil {
		return nil, err
	}
	runs, err := s.Store.Runs(r.Context(), r.PathValue("name"), r.FormValue("before"), limit)
	return map[string]any{"runs": runs}, err
}

func (s *server) getTargets(r *http.Request) (any, error) {
	targets, err := s.Store.Targets(r.Context(), r.FormValue("audit"))
	return map[string]any{"targets": targets}, err
}

func (s *server) getFindings(r *http.Request) (any, error) {
	f, err := filterOf(r)
	if err != nil {
		return nil, err
	}
	findings, next, err := s.Store.Findings(r.Context(), f)
	return map[string]any{"findings": findings, "next": cursorText(next)}, err
}

func (s *server) finding(r *http.Request) (*audit.History, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, errNotFound
	}
	h, err := s.Store.Finding(r.Context(), id)
	if err == nil && h == nil {
		err = errNotFound
	}
	return h, err
}

func (s *server) getDiff(r *http.Request) (any, error) {
	from, to, err := s.span(r, 24*time.Hour)
	if err != nil {
		return nil, err
	}
	return s.Store.Diff(r.Context(), r.FormValue("audit"), from, to)
}

func (s *server) getTrend(r *http.Request) (any, error) {
	from, _, err := s.span(r, 90*24*time.Hour)
	if err != nil {
		return nil, err
	}
	points, err := s.Store.Trend(r.Context(), r.FormValue("audit"), from)
	return map[string]any{"points": points}, err
}

// span reads from and to, times of RFC 3339; from is so long before to where it is not given, and to is now.
func (s *server) span(r *http.Request, length time.Duration) (from, to time.Time, err error) {
	to = s.Now()
	for name, at := range map[string]*time.Time{"from": &from, "to": &to} {
		if text := r.FormValue(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return from, to, bad("%s is %q; write a time as 2026-11-23T12:00:00Z", name, text)
			}
		}
	}
	if from.IsZero() {
		from = to.Add(-length)
	}
	return from, to, nil
}

// filterOf reads a filter from the query of an address.
func filterOf(r *http.Request) (audit.Filter, error) {
	f := audit.Filter{
		Audit: r.FormValue("audit"), Check: strings.ToUpper(r.FormValue("check")), Standing: audit.Standing(r.FormValue("standing")),
		Text: r.FormValue("q"), Framework: r.FormValue("framework"), Control: r.FormValue("control"), Gone: r.FormValue("gone") == "true",
	}
	switch f.Standing {
	case "", audit.StandingOpen, audit.StandingSuppressed, audit.StandingFixed:
	default:
		return f, bad("standing is %q; it is open, suppressed or fixed", f.Standing)
	}
	for _, text := range r.Form["severity"] {
		if text == "" {
			continue
		}
		severity, err := scanner.ParseSeverity(text)
		if err != nil {
			return f, bad("severity is %q; it is critical, high, medium, low, info or unknown", text)
		}
		f.Severity = append(f.Severity, severity)
	}
	if text := r.FormValue("target"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return f, bad("target is %q; it is the number of a target", text)
		}
		f.Target = id
	}
	limit, err := number(r, "limit", 0, 1000)
	if err != nil {
		return f, err
	}
	f.Limit = limit
	f.After, err = cursorOf(r.FormValue("after"))
	return f, err
}

// cursorText is a cursor in an address; empty for none.
func cursorText(c *audit.Cursor) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%d.%d", int(c.Severity), c.ID)
}

func cursorOf(text string) (*audit.Cursor, error) {
	if text == "" {
		return nil, nil
	}
	severity, id, ok := strings.Cut(text, ".")
	n, err1 := strconv.Atoi(severity)
	m, err2 := strconv.ParseInt(id, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return nil, bad("after is %q; take it from next of the page before", text)
	}
	return &audit.Cursor{Severity: scanner.Severity(n), ID: m}, nil
}

func number(r *http.Request, name string, unset, most int) (int, error) {
	text := r.FormValue(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, bad("%s is %q; it is a number from 1 to %d", name, text, most)
	}
	return n, nil
}

func (s *server) postRun(w http.ResponseWriter, r *http.Request) {
	id, err := s.Store.Enqueue(r.Context(), r.PathValue("name"))
	if err != nil {
		s.problem(w, r, err)
		return
	}
	s.wrote()
	s.write(w, http.StatusAccepted, map[string]any{"run": id})
}
