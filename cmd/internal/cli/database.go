package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/collect/image"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/inventory"
	"github.com/postscan/postscan/scanner/vulndb"
)

// databaseFlags say where the vulnerability data is.
type databaseFlags struct {
	dir          string
	repositories []string
	java         []string
	offline      bool
	skipUpdate   bool
	maxAge       time.Duration
	kev, epss    string
}

func (f *databaseFlags) define(fs *pflag.FlagSet) {
	fs.StringVar(&f.dir, "db-dir", "", "`DIR` of the databases (default: in the user's cache)")
	fs.StringArrayVar(&f.repositories, "db-repository", nil, "fetch the vulnerability database from this OCI `REFERENCE`; several are tried in order")
	fs.StringArrayVar(&f.java, "java-db-repository", nil, "the same for the Java index, an OCI `REFERENCE`")
}

func (f *databaseFlags) defineScan(fs *pflag.FlagSet) {
	f.define(fs)
	fs.BoolVar(&f.skipUpdate, "skip-db-update", false, "use the databases that are there, whatever their age")
	f.defineUse(fs)
}

// defineUse defines how databases that are there are used.
func (f *databaseFlags) defineUse(fs *pflag.FlagSet) {
	fs.DurationVar(&f.maxAge, "db-max-age", vulndb.DefaultMaxAge, "where the database is older than this `TIME`, packages without a finding are unknown (default 504h, three weeks)")
	fs.StringVar(&f.kev, "kev", "", "known exploited vulnerabilities: a `FILE` as CISA publishes it")
	fs.StringVar(&f.epss, "epss", "", "exploit prediction scores: a `FILE` (CSV, also gzipped)")
}

func (f *databaseFlags) defineOffline(fs *pflag.FlagSet) {
	fs.BoolVar(&f.offline, "offline", false, "connect to nothing but the images' own source")
}

// options turns the flags into the database's. reg and what it fetches are left
// out where nothing may be fetched.
func (a *app) databaseOptions(f *databaseFlags, reg *registryFlags) (vulndb.Options, error) {
	o := vulndb.Options{
		Dir: f.dir, Repositories: f.repositories, JavaRepositories: f.java,
		Offline: f.offline || f.skipUpdate, MaxAge: f.maxAge, KEV: f.kev, EPSS: f.epss,
		Now: a.env.Now, Log: a.log,
	}
	for _, list := range [][2]string{{"--kev", f.kev}, {"--epss", f.epss}} {
		if _, err := os.Stat(list[1]); list[1] != "" && err != nil {
			return o, usage(fmt.Errorf("%s %s: %w", list[0], list[1], errorCause(err)))
		}
	}
	if o.Offline {
		return o, nil
	}
	client, err := a.registry(&registryFlags{mirrors: reg.mirrors, insecure: reg.insecure, caFile: reg.caFile})
	if err != nil {
		return o, err
	}
	o.Fetch, o.FetchURL = client.Fetch, client.Get
	return o, nil
}

func newDB(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Fetch and show the vulnerability databases",
		RunE:  needCommand,
	}
	cmd.AddCommand(newDBUpdate(a), newDBStatus(a))
	return cmd
}

// partNames are the parts in the order of the help text.
func partNames() []vulndb.Part {
	return []vulndb.Part{vulndb.Vulnerabilities, vulndb.Java, vulndb.KEV, vulndb.EPSS}
}

func parseParts(args []string) ([]vulndb.Part, error) {
	var parts []vulndb.Part
	for _, arg := range args {
		if arg == "all" {
			return partNames(), nil
		}
		if !slices.Contains(partNames(), vulndb.Part(arg)) {
			return nil, usageHint(fmt.Errorf("there is no part %q", arg), "they are: vulnerability-db, java-db, kev, epss, all")
		}
		parts = append(parts, vulndb.Part(arg))
	}
	return parts, nil
}

func newDBUpdate(a *app) *cobra.Command {
	var f databaseFlags
	var reg registryFlags
	var kevURL, epssURL, format string
	cmd := &cobra.Command{
		Use:   "update [PART...]",
		Short: "Fetch the newest databases",
		Long: `update fetches the parts that are named, the vulnerability database where none
is: vulnerability-db, java-db (names jars that do not name themselves), kev
(vulnerabilities that attackers use), epss (how likely that is), or all. What
cannot be fetched leaves what is there as it was.`,
		Example: `  postscan db update
  postscan db update all
  postscan db update --db-repository registry.example/trivy-db:2`,
		RunE: func(cmd *cobra.Command, args []string) error {
			parts, err := parseParts(args)
			if err != nil {
				return err
			}
			if f.offline {
				return usage(errors.New("--offline and db update do not go together"))
			}
			o, err := a.databaseOptions(&f, &reg)
			if err != nil {
				return err
			}
			bar := a.newProgress()
			defer bar.stop()
			o.KEVURL, o.EPSSURL, o.Progress = kevURL, epssURL, bar.database
			status, updateErr := vulndb.Update(cmd.Context(), o, parts...)
			bar.stop()
			return errors.Join(updateErr, a.showStatus(format, status))
		},
	}
	addFlags(cmd, "Database", func(fs *pflag.FlagSet) {
		f.define(fs)
		fs.StringVar(&kevURL, "kev-url", "", "`URL` of the known exploited vulnerabilities (default: CISA's)")
		fs.StringVar(&epssURL, "epss-url", "", "`URL` of the exploit prediction scores (default: FIRST's)")
	})
	addFlags(cmd, "Network", func(fs *pflag.FlagSet) {
		reg.define(fs)
		f.defineOffline(fs)
	})
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) { defineTextOrJSON(fs, &format) })
	return cmd
}

func newDBStatus(a *app) *cobra.Command {
	var f databaseFlags
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the databases and their age",
		Long: `status shows what is there and how old it is. It connects to nothing; it takes
the flags of db update that say which databases are meant, so that both can be
called alike.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := vulndb.ReadStatus(cmd.Context(), vulndb.Options{Dir: f.dir, KEV: f.kev, EPSS: f.epss, Now: a.env.Now, Log: a.log})
			if err != nil {
				return err
			}
			return a.showStatus(format, status)
		},
	}
	addFlags(cmd, "Database", f.define)
	addFlags(cmd, "Network", f.defineOffline)
	addFlags(cmd, outputHeading, func(fs *pflag.FlagSet) { defineTextOrJSON(fs, &format) })
	return cmd
}

// partView is a part as `db status -o json` shows it.
type partView struct {
	Part       string    `json:"part"`
	Path       string    `json:"path"`
	Usable     bool      `json:"usable"`
	Error      string    `json:"error"`
	Location   string    `json:"location"`
	Version    string    `json:"version"`
	Updated    time.Time `json:"updated"`
	NextUpdate time.Time `json:"next_update"`
	Due        bool      `json:"due"`
	Problem    string    `json:"problem"`
}

func (a *app) showStatus(format string, status vulndb.Status) error {
	views := []partView{}
	for _, p := range status.Parts {
		v := partView{
			Part: string(p.Part), Path: p.Path, Usable: p.Err == nil, Location: p.Source.Location, Version: p.Source.Version,
			Updated: p.Source.Updated, NextUpdate: p.Source.NextUpdate, Due: p.Due, Problem: p.Source.Problem,
		}
		if p.Err != nil {
			v.Error = p.Err.Error()
		}
		views = append(views, v)
	}
	return show(a.env.Stdout, format, views, func() error {
		if _, err := fmt.Fprintf(a.env.Stdout, "Databases in %s\n", status.Dir); err != nil {
			return err
		}
		for _, v := range views {
			if err := writeStatus(a.env.Stdout, v, a.env.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeStatus(w io.Writer, v partView, now time.Time) error {
	text := "not there"
	switch {
	case v.Usable:
		text = "of " + v.Updated.UTC().Format("2006-01-02 15:04") + " UTC, " + age(now.Sub(v.Updated))
		if v.Updated.IsZero() {
			text = "there, its age is not known"
		}
		if v.Due {
			text += ", a newer one is due: postscan db update " + v.Part
		}
	case v.Error != "":
		text = v.Error
	}
	if v.Problem != "" {
		text += "; " + v.Problem
	}
	_, err := fmt.Fprintf(w, "  %-17s %s\n", v.Part, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 20)))
	return err
}

// age says how old something is in words.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "from the future: is the clock right?"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours old", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days old", int(d.Hours()/24))
	}
}

// knowledge is what tells the vulnerabilities of packages.
type knowledge struct {
	matcher image.Matcher // nil where the database could not be opened
	// unmatched says why nothing is matched; "" where the database is open.
	unmatched string
	jars      inventory.JarLookup // nil with --no-vulnerabilities
	close     func()
}

// knowledge opens the databases of a scan, and notes in c what is used of them.
// Where the vulnerability database cannot be opened, the scan goes on and the
// reason stands in the report. off is --no-vulnerabilities.
func (a *app) knowledge(ctx context.Context, o vulndb.Options, off bool, c *withSources) (knowledge, error) {
	if off {
		return knowledge{matcher: switchedOff{}, unmatched: errSwitchedOff{}.Error(), close: func() {}}, nil
	}
	java := vulndb.NewJavaDB(o)
	c.java = java
	k := knowledge{jars: java, close: func() { _ = java.Close() }} // it was only read
	db, err := vulndb.Open(ctx, o)
	switch {
	case ctx.Err() != nil:
		k.close()
		return knowledge{}, ctx.Err()
	case err != nil:
		a.log.Info("vulnerabilities are unknown", "reason", err)
		k.unmatched = err.Error()
		c.sources = []facts.Source{{Name: string(vulndb.Vulnerabilities), Problem: k.unmatched}}
	default:
		k.matcher, c.sources = db, db.Sources()
		k.close = func() { _ = java.Close(); _ = db.Close() } // both were only read
	}
	return k, nil
}

// withSources names, beside what a collector sees, the data that it used.
type withSources struct {
	scanner.Collector
	sources []facts.Source
	java    *vulndb.JavaDB
}

// Collect implements [scanner.Collector].
func (c *withSources) Collect(ctx context.Context, sink scanner.Sink) error {
	for _, s := range c.sources {
		if err := sink.Source(s); err != nil {
			return err
		}
	}
	if err := c.Collector.Collect(ctx, sink); err != nil {
		return err
	}
	if c.java == nil {
		return nil
	}
	if s, used := c.java.Source(); used {
		return sink.Source(s)
	}
	return nil
}

// switchedOff is the matcher of --no-vulnerabilities.
type switchedOff struct{}

// Match implements [image.Matcher].
func (switchedOff) Match(context.Context, facts.Distribution, []facts.Package) ([]facts.Vulnerability, error) {
	return nil, errSwitchedOff{}
}

// Missing implements [image.Matcher].
func (switchedOff) Missing() map[string]facts.Missing { return nil }

type errSwitchedOff struct{}

func (errSwitchedOff) Error() string {
	return "vulnerabilities are switched off with --no-vulnerabilities"
}

// Missing says what the error means for the facts.
func (e errSwitchedOff) Missing() facts.Missing {
	return facts.Missing{Status: facts.NotAssessed, Reason: e.Error()}
}
