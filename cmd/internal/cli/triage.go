package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/filter"
	"github.com/postscan/postscan/scanner/report"
)

// defaultWaivers is read where it is there and --waivers is not given.
const defaultWaivers = ".postscan/waivers.yaml"

// triageFlags say which findings do not count, and what they are compared with.
type triageFlags struct {
	waivers     []string
	vex         []string
	baseline    string
	onlyNew     bool
	onlyFixable bool
	annotations bool
}

func (f *triageFlags) define(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.waivers, "waivers", nil, "accept what this `FILE` of waivers accepts (default: "+defaultWaivers+",\nwhere it is there)")
	fs.BoolVar(&f.annotations, "allow-annotations", false, "let annotations on Kubernetes objects waive: postscan.dev/waive.ID")
	fs.StringArrayVar(&f.vex, "vex", nil, "suppress what this OpenVEX or CycloneDX `FILE` calls not affected or fixed")
	fs.StringVar(&f.baseline, "baseline", "", "compare with an earlier JSON `REPORT`: new, unchanged, gone")
	fs.BoolVar(&f.onlyNew, "only-new", false, "suppress what the --baseline holds already")
	fs.BoolVar(&f.onlyFixable, "only-fixable", false, "suppress vulnerabilities that no version mends yet")
}

// newAnnotations makes the filter for waivers on Kubernetes objects, which without
// the flag only tells that there are some.
func (f *triageFlags) newAnnotations(cat *checks.Catalogue, now time.Time) *filter.Annotations {
	return filter.NewAnnotations(f.annotations, func(id string) bool { _, ok := cat.Lookup(id); return ok }, now)
}

// filters reads the files and makes the filters, in the order in which they are
// applied. Nothing is collected where one of the files is wrong.
func (f *triageFlags) filters(cat *checks.Catalogue, annotations *filter.Annotations, now time.Time) ([]scanner.Filter, error) {
	var list []scanner.Filter
	if len(f.vex) > 0 {
		vex, err := readVEX(f.vex)
		if err != nil {
			return nil, err
		}
		list = append(list, vex)
	}
	waivers, err := f.readWaivers(cat, now)
	if err != nil {
		return nil, err
	}
	if waivers != nil {
		list = append(list, waivers)
	}
	list = append(list, annotations)
	if f.onlyFixable {
		list = append(list, filter.OnlyFixable{Checks: vulnerabilityChecks()})
	}
	if f.onlyNew && f.baseline == "" {
		return nil, usage(errors.New("--only-new: give the report to compare with, --baseline REPORT"))
	}
	if f.baseline != "" {
		before, err := readReport(f.baseline)
		if err != nil {
			return nil, usage(fmt.Errorf("--baseline: %w", err))
		}
		// It comes last: what is suppressed for another reason keeps that reason.
		list = append(list, filter.Baseline{Before: before, Name: f.baseline, OnlyNew: f.onlyNew})
	}
	return list, nil
}

func readVEX(files []string) (*filter.VEX, error) {
	var all []filter.Statement
	for _, name := range files {
		in, err := os.Open(name)
		if err != nil {
			return nil, usage(fmt.Errorf("--vex %s: %w", name, errorCause(err)))
		}
		statements, err := filter.ReadVEX(in, name)
		_ = in.Close() // it was only read
		if err != nil {
			return nil, usage(err)
		}
		all = append(all, statements...)
	}
	return filter.NewVEX(all), nil
}

// readWaivers returns nil where there are none.
func (f *triageFlags) readWaivers(cat *checks.Catalogue, now time.Time) (*filter.Waivers, error) {
	files := f.waivers
	if len(files) == 0 {
		if _, err := os.Stat(defaultWaivers); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		files = []string{defaultWaivers}
	}
	var all []filter.Waiver
	for _, name := range files {
		in, err := os.Open(name)
		if err != nil {
			return nil, usage(fmt.Errorf("--waivers %s: %w", name, errorCause(err)))
		}
		list, err := filter.ReadWaivers(in, name)
		_ = in.Close() // it was only read
		if err != nil {
			return nil, usage(err)
		}
		all = append(all, list...)
	}
	known := func(id string) bool { _, ok := cat.Lookup(id); return ok }
	waivers, err := filter.NewWaivers(all, known, now)
	if err != nil {
		return nil, usage(err)
	}
	return waivers, nil
}

func readReport(name string) (*scanner.Report, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errorCause(err))
	}
	defer func() { _ = in.Close() }() // it was only read
	rep, err := report.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rep, nil
}

func newWaivers(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "waivers", Short: "Explain what waivers accept", RunE: needCommand}
	var f triageFlags
	var policy policyFlags
	explain := &cobra.Command{
		Use:   "explain REPORT",
		Short: "Say which waiver hits what in a saved report, and what it misses",
		Long: `explain reads a report that -o json wrote and says of every waiver whether it is
active, expired or unused, which findings it accepts, and which findings of the
same id it does not accept and why.`,
		Example: `  postscan waivers explain report.json
  postscan waivers explain report.json --waivers team.yaml`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := policy.catalogue(cmd.Context(), a)
			if err != nil {
				return err
			}
			waivers, err := f.readWaivers(cat, a.env.Now())
			if err != nil {
				return err
			}
			if waivers == nil {
				return usage(fmt.Errorf("there are no waivers: write %s, or name a file with --waivers", defaultWaivers))
			}
			rep, err := readReport(args[0])
			if err != nil {
				return err
			}
			_, err = a.env.Stdout.Write([]byte(explainWaivers(waivers.Explain(rep))))
			return err
		},
	}
	addFlags(explain, "Gate", func(fs *pflag.FlagSet) {
		fs.StringArrayVar(&f.waivers, "waivers", nil, "this `FILE` of waivers (default: "+defaultWaivers+")")
	})
	addFlags(explain, "Policy", policy.definePolicies)
	policy.defineNetwork(explain)
	cmd.AddCommand(explain)
	return cmd
}

func explainWaivers(uses []filter.WaiverUse) string {
	var b strings.Builder
	for _, u := range uses {
		fmt.Fprintf(&b, "%s: %s until %s, %s: %s\n", u.Waiver.Place, u.Waiver.ID, u.Waiver.Expires, u.State, u.Waiver.Reason)
		for _, f := range u.Hits {
			verb := "accepts"
			if u.State == "expired" {
				verb = "would accept"
			}
			fmt.Fprintf(&b, "  %s  %s: %s\n", verb, report.Clean(f.Resource.ID), report.Clean(f.Message))
		}
		for _, m := range u.Misses {
			fmt.Fprintf(&b, "  misses   %s: %s (%s)\n", report.Clean(m.Finding.Resource.ID), report.Clean(m.Finding.Message), report.Clean(m.Why))
		}
	}
	return b.String()
}
