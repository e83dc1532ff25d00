package report_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/report"
)

// browser starts a headless Chromium, which .ci/packages installs.
func browser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no chromium: .ci/run installs it")
		}
		t.Skip("NOT LOOKED AT: there is no chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(profileFolder(t)), chromedp.Flag("disable-background-networking", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has none for root
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits for the browser, which writes to its folder until it ends
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return ctx
}

// profileFolder is where the browser keeps what it likes to. What some process of
// it writes at the very end is no failure of the test.
func profileFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postscan-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// visit is a page that was opened, with everything that should not happen.
type visit struct {
	ctx context.Context //nolint:containedctx // a tab of chromedp is its context
	mu  sync.Mutex
	bad []string
}

// open writes the report as HTML and opens it in a tab of its own.
func open(ctx context.Context, t *testing.T, rep *scanner.Report, before ...chromedp.Action) *visit {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, write(t, rep, "html", report.Options{}), 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	tab, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	v := &visit{ctx: tab}
	note := func(format string, args ...any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.bad = append(v.bad, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			note("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			note("console: %s, %d values", e.Type, len(e.Args))
		case *log.EventEntryAdded:
			note("log: %s %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address && !strings.HasPrefix(e.Request.URL, "data:") {
				note("fetched: %s", e.Request.URL)
			}
		case *page.EventJavascriptDialogOpening:
			note("a dialogue: %s", e.Message)
		}
	})
	v.run(t, network.Enable(), log.Enable(), runtime.Enable(), page.Enable())
	v.run(t, before...)
	v.run(t, chromedp.Navigate(address), chromedp.WaitReady("body"))
	return v
}

func (v *visit) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(v.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval evaluates an expression in the page.
func eval[T any](t *testing.T, v *visit, expression string) T {
	t.Helper()
	var out T
	v.run(t, chromedp.Evaluate(expression, &out))
	return out
}

func (v *visit) check(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, b := range v.bad {
		t.Error(b)
	}
}

// keep writes a picture of the whole page into the folder that POSTSCAN_SCREENSHOTS
// names, to be looked at.
func (v *visit) keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("POSTSCAN_SCREENSHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	v.run(t, chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

const shownRows = `[...document.querySelectorAll('#findings tbody tr')].filter(r => r.offsetParent !== null).length`

// The page works in a browser: it filters and sorts, says nothing on the console
// and fetches nothing.
func TestHTMLInBrowser(t *testing.T) {
	ctx := browser(t)
	t.Run("filter", func(t *testing.T) {
		rep := sample()
		v := open(ctx, t, rep, chromedp.EmulateViewport(1280, 900))
		all := len(rep.Findings)
		expect := func(what string, want int) {
			t.Helper()
			if got := eval[int](t, v, shownRows); got != want {
				t.Errorf("%s: %d rows are shown, want %d", what, got, want)
			}
			if said := eval[string](t, v, `document.getElementById('count').textContent`); said != fmt.Sprintf("%d of %d shown", want, all) {
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
		v.run(t, chromedp.SendKeys("#q", "PS-IMG-005", chromedp.ByQuery))
		expect("a check", count(func(f *scanner.Finding) bool { return f.Rule.ID == "PS-IMG-005" }))
		set := func(id, value string) chromedp.Action {
			return chromedp.Evaluate(fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event('input')); })(document.getElementById(%q))`, value, id), nil)
		}
		v.run(t, set("q", ""), set("sev", "critical"))
		expect("a severity", count(func(f *scanner.Finding) bool { return f.Severity == scanner.SeverityCritical }))
		v.run(t, set("sev", ""), chromedp.Click("#sup", chromedp.ByQuery))
		expect("not suppressed", count(func(f *scanner.Finding) bool { return f.Suppressed == nil }))
		v.run(t, chromedp.Click("#sup", chromedp.ByQuery), chromedp.Click("#findings thead th:nth-child(2) button", chromedp.ByQuery))
		expect("sorted", all)
		ids := eval[[]string](t, v, `[...document.querySelectorAll('#findings tbody td:nth-child(2) a')].map(a => a.textContent)`)
		for i := 1; i < len(ids); i++ {
			if ids[i-1] > ids[i] {
				t.Fatalf("%s stands before %s after sorting by check", ids[i-1], ids[i])
			}
		}
		v.check(t)
	})
	for name, rep := range map[string]*scanner.Report{"sample": sample(), "filtered": filteredSample(), "strange": strangeSample(), "clean": cleanSample(), "workloads": workloadSample()} {
		for look, media := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"} {
			for size, width := range map[string]int64{"wide": 1280, "phone": 390} {
				t.Run(name+"-"+look+"-"+size, func(t *testing.T) {
					v := open(ctx, t, rep, chromedp.EmulateViewport(width, 844),
						emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}))
					if got := eval[string](t, v, `getComputedStyle(document.body).backgroundColor`); got != media {
						t.Errorf("the background is %s, want %s", got, media)
					}
					if wide := eval[int64](t, v, `document.documentElement.scrollWidth`); wide > width {
						t.Errorf("the page is %d pixels wide on a screen of %d: it scrolls sideways", wide, width)
					}
					if low := eval[float64](t, v, lowestContrast); low < 4.5 {
						t.Errorf("some text has a contrast of %.2f: under 4.5 it is hard to read", low)
					}
					v.keep(t, name+"-"+look+"-"+size)
					v.check(t)
				})
			}
		}
	}
	t.Run("without script", func(t *testing.T) {
		v := open(ctx, t, sample(), emulation.SetScriptExecutionDisabled(true))
		var nodes []string
		v.run(t, emulation.SetScriptExecutionDisabled(false), chromedp.Evaluate(`[getComputedStyle(document.getElementById('filter')).display, String(`+shownRows+`)]`, &nodes))
		if len(nodes) != 2 || nodes[0] != "none" || nodes[1] != fmt.Sprint(len(sample().Findings)) {
			t.Errorf("without script the filter is %q; all rows should be shown and no filter", nodes)
		}
		v.check(t)
	})
	t.Run("print", func(t *testing.T) {
		v := open(ctx, t, sample())
		v.run(t, emulation.SetEmulatedMedia().WithMedia("print"))
		if got := eval[string](t, v, `getComputedStyle(document.getElementById('filter')).display`); got != "none" {
			t.Errorf("the filter is printed: %s", got)
		}
		v.run(t, chromedp.ActionFunc(func(ctx context.Context) error {
			pdf, _, err := page.PrintToPDF().Do(ctx)
			if err == nil && len(pdf) < 10_000 {
				err = fmt.Errorf("the print has %d bytes", len(pdf))
			}
			return err
		}))
		v.check(t)
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
