package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

func newEval(a *app) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "eval FACTS",
		Short: "Judge facts that a scan kept with --facts-out",
		Long: `eval judges what an earlier scan saw, without looking at the target again. The
report is that of the scan, but for the times of the run: policies take the time
of collection for now, and the parameters that the scan had.`,
		Example: `  postscan image nginx:latest --facts-out nginx.facts
  postscan eval nginx.facts --policy ./my-policies -o json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := readInput(a.env, args[0])
			if err != nil {
				return err
			}
			defer func() { _ = in.Close() }() // it was only read
			head, stream, err := facts.ReadHeader(in)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return a.scan(cmd.Context(), &f, job{
				collected: head.Collected,
				params:    head.Params,
				kinds:     head.Kinds,
				collector: func(context.Context) (scanner.Collector, func(), error) {
					return replay{stream}, func() {}, nil
				},
			})
		},
	}
	f.define(cmd, false)
	f.policy.defineNetwork(cmd)
	return cmd
}

// replay is the collector that reads facts which another one wrote.
type replay struct{ stream io.Reader }

// Collect implements [scanner.Collector].
func (r replay) Collect(ctx context.Context, sink scanner.Sink) error {
	_, trailer, err := facts.Read(r.stream, facts.Handler{
		Target: sink.Target,
		Source: sink.Source,
		Resource: func(res *facts.Resource) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return sink.Resource(ctx, res)
		},
	})
	switch {
	case err != nil:
		return err
	case !trailer.Complete:
		return errors.New(trailer.Error)
	default:
		return nil
	}
}
