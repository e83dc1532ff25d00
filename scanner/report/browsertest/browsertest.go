// Package browsertest opens pages in a real browser, for the tests of what people
// see: it notes what a page should not do, and takes pictures of it.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Start starts a headless Chromium, which .ci/packages installs. Without one the test
// is skipped, and fails in CI.
func Start(t *testing.T) context.Context {
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

// Tab is an open page, with everything that should not happen in it.
type Tab struct {
	ctx context.Context //nolint:containedctx // a tab of chromedp is its context
	mu  sync.Mutex
	bad []string
}

// Open opens a tab. A fetch of an address that own does not know is noted, as are
// exceptions, dialogues and what is written to the console.
func Open(ctx context.Context, t *testing.T, own func(url string) bool, before ...chromedp.Action) *Tab {
	t.Helper()
	tab, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	v := &Tab{ctx: tab}
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			v.note("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			v.note("console: %s, %d values", e.Type, len(e.Args))
		case *log.EventEntryAdded:
			v.note("log: %s %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !own(e.Request.URL) && !strings.HasPrefix(e.Request.URL, "data:") {
				v.note("fetched: %s", e.Request.URL)
			}
		case *page.EventJavascriptDialogOpening:
			v.note("a dialogue: %s", e.Message)
		}
	})
	v.Run(t, network.Enable(), log.Enable(), runtime.Enable(), page.Enable())
	v.Run(t, before...)
	return v
}

func (v *Tab) note(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bad = append(v.bad, fmt.Sprintf(format, args...))
}

// Run does something in the tab.
func (v *Tab) Run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(v.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// Eval evaluates an expression in the page.
func Eval[T any](t *testing.T, v *Tab, expression string) T {
	t.Helper()
	var out T
	v.Run(t, chromedp.Evaluate(expression, &out))
	return out
}

// Check fails the test for everything that was noted.
func (v *Tab) Check(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, b := range v.bad {
		t.Error(b)
	}
}

// Keep writes a picture of the whole page into the folder that POSTSCAN_SCREENSHOTS
// names, to be looked at.
func (v *Tab) Keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("POSTSCAN_SCREENSHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	v.Run(t, chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
