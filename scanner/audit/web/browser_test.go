package web

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/audit"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/report/browsertest"
)

// open opens a tab for the pages of a server.
func open(ctx context.Context, t *testing.T, base string, before ...chromedp.Action) *browsertest.Tab {
	t.Helper()
	return browsertest.Open(ctx, t, func(url string) bool { return strings.HasPrefix(url, base+"/") }, before...)
}

// to goes to a page.
func to(t *testing.T, v *browsertest.Tab, address string) {
	t.Helper()
	v.Run(t, chromedp.Navigate(address), chromedp.WaitReady("main"))
}

// busyServer is a server with findings of every severity, a stale target and changes.
func busyServer(t *testing.T) (*httptest.Server, *audit.Store) {
	t.Helper()
	srv, s := testServer(t, nil)
	severities := []scanner.Severity{scanner.SeverityCritical, scanner.SeverityHigh, scanner.SeverityMedium, scanner.SeverityLow, scanner.SeverityInfo}
	for n := range 4 {
		rep := testReport()
		for i := range 40 + 5*n {
			severity := severities[i%len(severities)]
			rule := &scanner.Rule{ID: fmt.Sprintf("PS-VM-%03d", 100+i%7), Title: "A setting of the machine is weak", Severity: severity, Description: "Why it matters, in a sentence or two.", Remediation: "Change the setting.", References: []scanner.Reference{{Framework: "isolation", Control: "W2"}}}
			rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: rule})
			f := testReport("x").Findings[0]
			f.Rule, f.Severity, f.Key, f.Message = rule, severity, fmt.Sprint("k", i), fmt.Sprintf("the value %d of a rather long setting with words is not what it should be", i)
			f.Fingerprint = scanner.Fingerprint(rule.ID, "machine-1", "vm", f.Key)
			if i%9 == 0 {
				f.Suppressed = &scanner.Suppression{By: "waiver", Reason: "known, is replaced in spring", Owner: "ops"}
			}
			rep.Findings = append(rep.Findings, f)
		}
		record(t, s, rep)
	}
	run, err := s.Begin(t.Context(), "web", audit.CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fail(t.Context(), run.ID, fmt.Errorf("the machine does not answer")); err != nil {
		t.Fatal(err)
	}
	return srv, s
}

// record runs the audit once with the report.
func record(t *testing.T, s *audit.Store, rep *scanner.Report) {
	t.Helper()
	run, err := s.Begin(t.Context(), "web", audit.CauseDirect)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), run.ID, rep); err != nil {
		t.Fatal(err)
	}
}

func TestDashboardInBrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	srv, s := busyServer(t)
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	marked, _, err := s.Findings(t.Context(), audit.Filter{Text: "<script>"})
	if err != nil || len(marked) == 0 {
		t.Fatal(len(marked), err)
	}
	t.Run("overview, filter, finding", func(t *testing.T) {
		v := open(ctx, t, srv.URL, chromedp.EmulateViewport(1280, 900))
		to(t, v, srv.URL+"/")
		if stale := browsertest.Eval[string](t, v, `document.querySelector('.alert').textContent`); !strings.Contains(stale, "does not answer") {
			t.Errorf("the stale target is told as %q", stale)
		}
		if n := browsertest.Eval[int](t, v, `document.querySelectorAll('svg path').length`); n == 0 {
			t.Error("the trend has no line")
		}
		v.Run(t, chromedp.Click(`.cards li.high a`, chromedp.ByQuery), chromedp.WaitVisible(`form.filter`, chromedp.ByQuery))
		if wrong := browsertest.Eval[int](t, v, `[...document.querySelectorAll('tbody td:first-child')].filter(c => c.textContent !== 'high').length`); wrong != 0 {
			t.Errorf("%d findings are not of the severity that was clicked", wrong)
		}
		v.Run(t, chromedp.SendKeys(`input[name=q]`, "value 11 of", chromedp.ByQuery), chromedp.Submit(`form.filter`, chromedp.ByQuery), chromedp.WaitVisible(`input[name=q][value="value 11 of"]`, chromedp.ByQuery))
		if n := browsertest.Eval[int](t, v, `document.querySelectorAll('tbody tr').length`); n != 1 {
			t.Errorf("the filter leaves %d rows, want 1", n)
		}
		if where := browsertest.Eval[string](t, v, `location.search`); !strings.Contains(where, "severity=high") || !strings.Contains(where, "q=value") {
			t.Errorf("the address does not hold the filter: %s", where)
		}
		v.Run(t, chromedp.Click(`tbody a`, chromedp.ByQuery), chromedp.WaitVisible(`#waiver`, chromedp.ByQuery))
		v.Check(t)
	})
	t.Run("markup stays text", func(t *testing.T) {
		v := open(ctx, t, srv.URL)
		for _, path := range []string{"/", "/findings?standing=", fmt.Sprint("/findings/", marked[0].ID), fmt.Sprint("/targets/", marked[0].Target.ID), "/runs/" + runs[1].ID, "/audits/web"} {
			to(t, v, srv.URL+path)
			if n := browsertest.Eval[int](t, v, `document.querySelectorAll('main script, main img').length`); n != 0 {
				t.Errorf("%s: %d elements of stored markup", path, n)
			}
			if text := browsertest.Eval[string](t, v, `document.querySelector('main').textContent`); path != "/" && path != "/audits/web" && !strings.Contains(text, "<script>alert(1)</script>") {
				t.Errorf("%s does not show the markup as text", path)
			}
		}
		v.Check(t)
	})
	t.Run("login, and no script", func(t *testing.T) {
		locked, store := testServer(t, func(o *Options) { o.Open = false })
		_, secret, err := store.NewToken(t.Context(), "anna", audit.Operator, "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		v := open(ctx, t, locked.URL, emulation.SetScriptExecutionDisabled(true))
		to(t, v, locked.URL+"/")
		v.Keep(t, "login")
		v.Run(t, chromedp.SendKeys(`input[name=token]`, secret+"\r", chromedp.ByQuery), chromedp.WaitVisible(`.cards`, chromedp.ByQuery))
		v.Run(t, chromedp.Click(`nav a[href="/findings"]`, chromedp.ByQuery), chromedp.WaitVisible(`form.filter`, chromedp.ByQuery))
		v.Run(t, chromedp.Click(`header form button`, chromedp.ByQuery), chromedp.WaitVisible(`input[name=token]`, chromedp.ByQuery))
		v.Check(t)
	})
	looks(ctx, t, srv.URL, map[string]string{"overview": "/", "findings": "/findings", "finding": fmt.Sprint("/findings/", marked[0].ID), "audit": "/audits/web", "run": "/runs/" + runs[1].ID, "failed-run": "/runs/" + runs[0].ID, "target": "/targets/1", "frameworks": "/frameworks", "framework": "/frameworks/isolation", "not-found": "/nothing"})
}

// looks opens pages on a wide screen and on a phone, light and dark: nothing sticks
// out, all text can be read, every field has its label, and the keyboard reaches
// everything and shows where it is.
func looks(ctx context.Context, t *testing.T, base string, pages map[string]string) {
	t.Helper()
	for look, media := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"} {
		for size, width := range map[string]int64{"wide": 1280, "phone": 390} {
			t.Run(look+"-"+size, func(t *testing.T) {
				v := open(ctx, t, base, chromedp.EmulateViewport(width, 844), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}))
				for name, path := range pages {
					to(t, v, base+path)
					if got := browsertest.Eval[string](t, v, `getComputedStyle(document.body).backgroundColor`); got != media {
						t.Errorf("%s: the background is %s, want %s", name, got, media)
					}
					if wide := browsertest.Eval[int64](t, v, `document.documentElement.scrollWidth`); wide > width {
						t.Errorf("%s is %d pixels wide on a screen of %d: it scrolls sideways", name, wide, width)
					}
					if low := browsertest.Eval[float64](t, v, lowestContrast); low < 4.5 {
						t.Errorf("%s: some text has a contrast of %.2f: under 4.5 it is hard to read", name, low)
					}
					if n := browsertest.Eval[int](t, v, `[...document.querySelectorAll('input:not([type=hidden]):not([hidden]), select')].filter(e => !e.labels.length).length`); n != 0 {
						t.Errorf("%s: %d fields have no label", name, n)
					}
					if what := browsertest.Eval[string](t, v, keyboard); what != "" {
						t.Errorf("%s: %s", name, what)
					}
					v.Keep(t, name+"-"+look+"-"+size)
				}
			})
		}
	}
}

// The pages of what is not there yet, of what went wrong, and of texts that are far
// longer than anybody wants, or are written from the right.
func TestOddPagesInBrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	t.Run("nothing yet", func(t *testing.T) {
		srv, s := testServer(t, nil)
		if err := s.Configure(t.Context(), []audit.Audit{{Name: "later", Target: audit.TargetSpec{VM: &audit.VMSpec{}}, Schedule: "0 3 * * *"}}); err != nil {
			t.Fatal(err)
		}
		looks(ctx, t, srv.URL, map[string]string{"empty-audit": "/audits/later", "empty-findings": "/findings?audit=later"})
		empty := emptyServer(t)
		looks(ctx, t, empty.URL, map[string]string{"empty-overview": "/", "empty-list": "/findings", "empty-frameworks": "/frameworks"})
	})
	t.Run("not let in", func(t *testing.T) {
		srv, _ := testServer(t, func(o *Options) { o.Open, o.Provider = false, &Provider{} })
		looks(ctx, t, srv.URL, map[string]string{"login": "/login"})
	})
	t.Run("gone wrong", func(t *testing.T) {
		srv, s := testServer(t, nil)
		s.Close()
		looks(ctx, t, srv.URL, map[string]string{"broken": "/findings"})
	})
	t.Run("odd texts", func(t *testing.T) {
		srv, s := testServer(t, nil)
		rep := testReport("long", "rtl", "words", markup)
		word := strings.Repeat("x", 10_000)
		rep.Findings[0].Message, rep.Findings[0].Key, rep.Findings[0].Evidence[0].Value = word, word, word
		rep.Findings[1].Message = "\u202eתיאור ארוך של הבעיה \u05d0 (abc) \u202d ولا تقلق، هذا نص عربي"
		rep.Findings[1].Resource.ID = "ns/פריסה/\u202egnp.exe"
		rep.Findings[2].Message = strings.Repeat("some words of a message that does not end, ", 250)
		rep.Findings[2].Rule = &scanner.Rule{ID: "PS-VM-009", Title: strings.Repeat("a long title ", 30), Severity: scanner.SeverityCritical, Description: word, Remediation: strings.Repeat("Do this and then that. ", 100), References: []scanner.Reference{{Framework: "url", Control: "https://example.org/" + word}}}
		rep.Checks = append(rep.Checks, scanner.CheckCount{Rule: rep.Findings[2].Rule})
		record(t, s, rep)
		gap := testReport(markup)
		gap.Gaps = []scanner.GapEntry{{Check: "PS-VM-001", Target: rep.Run.Targets[0].Ref, Status: facts.NotAssessed, Reasons: []string{"the scan may not read the firmware's variables"}}}
		record(t, s, gap)
		run, err := s.Begin(t.Context(), "web", audit.CauseDirect)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fail(t.Context(), run.ID, errors.New(strings.Repeat("no answer from the machine; ", 100)+word)); err != nil {
			t.Fatal(err)
		}
		list, _, err := s.Findings(t.Context(), audit.Filter{Standing: audit.StandingOpen})
		if err != nil {
			t.Fatal(err)
		}
		pages := map[string]string{"odd-overview": "/", "odd-findings": "/findings", "odd-audit": "/audits/web", "odd-run": "/runs/" + run.ID, "odd-target": "/targets/1"}
		for _, f := range list {
			pages[fmt.Sprint("odd-finding-", f.ID)] = fmt.Sprint("/findings/", f.ID)
		}
		looks(ctx, t, srv.URL, pages)
	})
}

// keyboard says what of a page the keyboard does not reach, or reaches unseen.
const keyboard = `(() => {
  const shown = e => e.getClientRects().length > 0;
  for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')) {
    if (!shown(e)) { continue; }
    if (e.tabIndex < 0) { return 'the keyboard does not reach ' + e.outerHTML.slice(0, 100); }
    if (!(e.textContent.trim() || e.labels && e.labels.length || e.getAttribute('aria-label'))) { return 'nothing says what this is: ' + e.outerHTML.slice(0, 100); }
  }
  const levels = [...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]);
  if (levels.filter(l => l === 1).length !== 1 || levels.some((l, i) => i > 0 && l > levels[i - 1] + 1)) { return 'the headings are ' + levels; }
  const skip = document.querySelector('.skip');
  skip.focus();
  if (skip.getBoundingClientRect().left < 0) { return 'the link that skips the head is not seen when it has the focus'; }
  skip.blur();
  return '';
})()`

// lowestContrast is the lowest contrast (WCAG 2) of any text with its background.
const lowestContrast = `(() => {
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  let lowest = 21;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || el.offsetParent === null || el.closest('script, style, option')) { continue; }
    let back = el;
    while (back && rgb(getComputedStyle(back).backgroundColor)[3] === 0) { back = back.parentElement; }
    const a = light(rgb(getComputedStyle(el).color)), b = light(rgb(getComputedStyle(back || document.body).backgroundColor));
    lowest = Math.min(lowest, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return lowest;
})()`
