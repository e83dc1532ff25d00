package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/postscan/postscan/scanner/audit"
)

// chart is the trend as lines of an SVG picture, which stands in the page: stacked
// areas would hide what one severity does.
type chart struct {
	Width, Height int
	Top           int // of the scale
	From, To      time.Time
	Lines         []line
}

// line is one severity.
type line struct {
	Severity string
	Path     string // of SVG
	Last     int
}

const (
	chartWidth  = 800
	chartHeight = 180
	chartTop    = 10 // pixels that stay free
	// maxPoints bounds how many changes are drawn; of more, evenly chosen ones are.
	maxPoints = 400
)

// newChart draws a trend up to now; nil where there is none.
func newChart(points []audit.Point, now time.Time) *chart {
	if len(points) == 0 {
		return nil
	}
	if step := (len(points) + maxPoints - 1) / maxPoints; step > 1 {
		var some []audit.Point
		for i := len(points) - 1; i >= 0; i -= step {
			some = append([]audit.Point{points[i]}, some...)
		}
		points = some
	}
	c := &chart{Width: chartWidth, Height: chartHeight, Top: 1, From: points[0].At, To: now}
	for _, p := range points {
		for _, n := range p.Open {
			c.Top = max(c.Top, n)
		}
	}
	span := max(c.To.Sub(c.From), time.Second)
	x := func(t time.Time) int { return int(float64(t.Sub(c.From)) / float64(span) * chartWidth) }
	y := func(n int) int { return chartHeight - n*(chartHeight-chartTop)/c.Top }
	for _, s := range severities() {
		var b strings.Builder
		some := false
		for i, p := range points {
			if i == 0 {
				fmt.Fprintf(&b, "M%d %d", x(p.At), y(p.Open[s]))
			} else {
				fmt.Fprintf(&b, "H%dV%d", x(p.At), y(p.Open[s]))
			}
			some = some || p.Open[s] > 0
		}
		fmt.Fprintf(&b, "H%d", chartWidth)
		if some {
			c.Lines = append(c.Lines, line{s, b.String(), points[len(points)-1].Open[s]})
		}
	}
	return c
}
