package web

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/postscan/postscan/scanner/audit"
)

// metrics serves the history's numbers in Prometheus' format.
func (s *server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(s.Store))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// collector asks the history when it is asked: several servers on one database
// then tell the same.
type collector struct {
	store *audit.Store

	lastRun, duration, findings, unknown, stale, next, queue, unsent *prometheus.Desc
}

func newCollector(store *audit.Store) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("postscan_"+name, help, labels, nil)
	}
	return &collector{
		store:    store,
		lastRun:  desc("last_run_timestamp_seconds", "When the last run that was done ended.", "audit"),
		duration: desc("last_run_duration_seconds", "How long the last run that ended took.", "audit", "state"),
		findings: desc("findings", "Findings that count.", "audit", "severity"),
		unknown:  desc("unknown", "Outcomes of the last run that it could not see.", "audit"),
		stale:    desc("stale_targets", "Targets that could not be scanned.", "audit"),
		next:     desc("next_run_timestamp_seconds", "When the schedule is due.", "audit"),
		queue:    desc("queue_depth", "Runs that wait, and that go on.", "state"),
		unsent:   desc("notifications_unsent", "Notifications that are not sent yet."),
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.lastRun, c.duration, c.findings, c.unknown, c.stale, c.next, c.queue, c.unsent} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) //nolint:forbidigo // Prometheus hands a collector none
	defer cancel()
	g, err := c.store.Gauges(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(c.queue, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for i := range g.Audits {
		a := &g.Audits[i]
		if a.Removed {
			continue
		}
		if !a.LastDone.IsZero() {
			gauge(c.lastRun, float64(a.LastDone.Unix()), a.Name)
		}
		if !a.NextRun.IsZero() {
			gauge(c.next, float64(a.NextRun.Unix()), a.Name)
		}
		if a.Last != nil {
			gauge(c.duration, a.Last.Finished.Sub(a.Last.Started).Seconds(), a.Name, string(a.Last.State))
			gauge(c.unknown, float64(a.Last.Counts.Unknown), a.Name)
		}
		for _, severity := range severities() {
			gauge(c.findings, float64(a.Open[severity]), a.Name, severity)
		}
		gauge(c.stale, float64(a.Stale), a.Name)
	}
	for state, n := range g.Queued {
		gauge(c.queue, float64(n), state)
	}
	gauge(c.unsent, float64(g.Unsent))
}
