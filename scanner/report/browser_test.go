package report_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
	"github.com/postscan/postscan/scanner/report/browsertest"
)

// open writes the report as HTML and opens it in a tab of its own.
func open(ctx context.Context, t *testing.T, rep *scanner.Report, before ...chromedp.Action) *browsertest.Tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, write(t, rep, "html", report.Options{}), 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	v := browsertest.Open(ctx, t, func(url string) bool { return url == address }, before...)
	v.Run(t, chromedp.Navigate(address), chromedp.WaitReady("body"))
	return v
}

const shownRows = `[...document.querySelectorAll('#findings tbody tr')].filter(r => r.offsetParent !== null).length`

// The page works in a browser: it filters and sorts, says nothing on the console
// and fetches nothing.
func TestHTMLInBrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	t.Run("filter", func(t *testing.T) {
		rep := sample()
		v := open(ctx, t, rep, chromedp.EmulateViewport(1280, 900))
		all := len(rep.Findings)
		expect := func(what string, want int) {
			t.Helper()
			if got := browsertest.Eval[int](t, v, shownRows); got != want {
				t.Errorf("%s: %d rows are shown, want %d", what, got, want)
			}
			if said := browsertest.Eval[string](t, v, `document.getElementById('count').textContent`); said != fmt.Sprintf("%d of %d shown", want, all) {
				t.Errorf("%s: the page says %q", what, said)
			}
		}
		count := func(keep func(f *scanner.Finding) bool) (n int) {
			for i := range rep.Findings {
				if keep(&rep.Findings[i]) {
					n++
				}
			}
			return n
		}
		expect("at first", all)
		v.Run(t, chromedp.SendKeys("#q", "PS-IMG-005", chromedp.ByQuery))
		expect("a check", count(func(f *scanner.Finding) bool { return f.Rule.ID == "PS-IMG-005" }))
		set := func(id, value string) chromedp.Action {
			return chromedp.Evaluate(fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event('input')); })(document.getElementById(%q))`, value, id), nil)
		}
		v.Run(t, set("q", ""), set("sev", "critical"))
		expect("a severity", count(func(f *scanner.Finding) bool { return f.Severity == scanner.SeverityCritical }))
		v.Run(t, set("sev", ""), chromedp.Click("#sup", chromedp.ByQuery))
		expect("not suppressed", count(func(f *scanner.Finding) bool { return f.Suppressed == nil }))
		v.Run(t, chromedp.Click("#sup", chromedp.ByQuery), chromedp.Click("#findings thead th:nth-child(2) button", chromedp.ByQuery))
		expect("sorted", all)
		ids := browsertest.Eval[[]string](t, v, `[...document.querySelectorAll('#findings tbody td:nth-child(2) a')].map(a => a.textContent)`)
		for i := 1; i < len(ids); i++ {
			if ids[i-1] > ids[i] {
				t.Fatalf("%s stands before %s after sorting by check", ids[i-1], ids[i])
			}
		}
		v.Check(t)
	})
	for name, rep := range map[string]*scanner.Report{"sample": sample(), "filtered": filteredSample(), "strange": strangeSample(), "clean": cleanSample(), "workloads": workloadSample()} {
		for look, media := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"} {
			for size, width := range map[string]int64{"wide": 1280, "phone": 390} {
				t.Run(name+"-"+look+"-"+size, func(t *testing.T) {
					v := open(ctx, t, rep, chromedp.EmulateViewport(width, 844),
						emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}))
					if got := browsertest.Eval[string](t, v, `getComputedStyle(document.body).backgroundColor`); got != media {
						t.Errorf("the background is %s, want %s", got, media)
					}
					if wide := browsertest.Eval[int64](t, v, `document.documentElement.scrollWidth`); wide > width {
						t.Errorf("the page is %d pixels wide on a screen of %d: it scrolls sideways", wide, width)
					}
					if low := browsertest.Eval[float64](t, v, lowestContrast); low < 4.5 {
						t.Errorf("some text has a contrast of %.2f: under 4.5 it is hard to read", low)
					}
					v.Keep(t, name+"-"+look+"-"+size)
					v.Check(t)
				})
			}
		}
	}
	t.Run("without script", func(t *testing.T) {
		v := open(ctx, t, sample(), emulation.SetScriptExecutionDisabled(true))
		var nodes []string
		v.Run(t, emulation.SetScriptExecutionDisabled(false), chromedp.Evaluate(`[getComputedStyle(document.getElementById('filter')).display, String(`+shownRows+`)]`, &nodes))
		if len(nodes) != 2 || nodes[0] != "none" || nodes[1] != fmt.Sprint(len(sample().Findings)) {
			t.Errorf("without script the filter is %q; all rows should be shown and no filter", nodes)
		}
		v.Check(t)
	})
	t.Run("print", func(t *testing.T) {
		v := open(ctx, t, sample())
		v.Run(t, emulation.SetEmulatedMedia().WithMedia("print"))
		if got := browsertest.Eval[string](t, v, `getComputedStyle(document.getElementById('filter')).display`); got != "none" {
			t.Errorf("the filter is printed: %s", got)
		}
		v.Run(t, chromedp.ActionFunc(func(ctx context.Context) error {
			pdf, _, err := page.PrintToPDF().Do(ctx)
			if err == nil && len(pdf) < 10_000 {
				err = fmt.Errorf("the print has %d bytes", len(pdf))
			}
			return err
		}))
		v.Check(t)
	})
}

// lowestContrast is the lowest contrast (WCAG 2) of any text with its background.
// What is suppressed is faint on purpose.
const lowestContrast = `(() => {
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  let lowest = 21;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || el.offsetParent === null || el.closest('.suppressed, script, style, option')) { continue; }
    let back = el;
    while (back && rgb(getComputedStyle(back).backgroundColor)[3] === 0) { back = back.parentElement; }
    const a = light(rgb(getComputedStyle(el).color)), b = light(rgb(getComputedStyle(back || document.body).backgroundColor));
    lowest = Math.min(lowest, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return lowest;
})()`
