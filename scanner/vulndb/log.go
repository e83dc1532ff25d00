package vulndb

import (
	"context"
	"log/slog"
)

// RouteLogs sends what trivy logs to log, at debug level. Trivy has no way to
// be handed a logger: it writes to the default of log/slog, which belongs to the
// whole process. So only the program's entry may call this, once, before
// anything else; this package never does by itself. Trivy's informational lines
// are about its own steps and its warnings about its own flags, hence debug.
func RouteLogs(log *slog.Logger) {
	slog.SetDefault(slog.New(demoted{log.Handler()}))
}

// demoted hands records on at debug level.
type demoted struct{ next slog.Handler }

// Enabled implements [slog.Handler]; whoever wants debug wants everything of trivy.
func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.next.Enabled(ctx, slog.LevelDebug)
}

// Handle implements [slog.Handler].
func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	r.AddAttrs(slog.String("from", "trivy"))
	return d.next.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.next.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.next.WithGroup(name)} }
