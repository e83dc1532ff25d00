package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/postscan/postscan/scanner/vulndb"
)

// progress keeps one line on a terminal up to date; elsewhere it writes nothing.
// Its methods may be called from several goroutines and on a nil progress.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	now     func() time.Time
	last    time.Time
	shown   bool
	stopped bool
}

// newProgress returns nil where nobody would see it.
func (a *app) newProgress() *progress {
	if a.quiet || a.verbose || !isTerminal(a.env.Stderr) {
		return nil
	}
	return &progress{w: a.env.Stderr, now: a.env.Now}
}

// tell replaces the line, ten times in a second at most.
func (p *progress) tell(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.stopped || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", shortLine(text)) // progress is not worth an error
}

// stop clears the line, before anything else is written.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K") // see tell
		p.shown = false
	}
}

// database tells how far a download is.
func (p *progress) database(part vulndb.Part, done, total int64) {
	if total <= 0 {
		p.tell(fmt.Sprintf("fetching %s: %s", part, megabytes(done)))
		return
	}
	p.tell(fmt.Sprintf("fetching %s: %s of %s", part, megabytes(done), megabytes(total)))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// shortLine keeps a line short enough for a terminal of 80 columns, and free of
// control characters.
func shortLine(s string) string {
	r := []rune(printable(s))
	if len(r) > 76 {
		r = append(r[:75], '…')
	}
	return string(r)
}
