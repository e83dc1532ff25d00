package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// imageScanFlags are those of the commands that scan images which a user, or an
// engine, names: image and engine.
type imageScanFlags struct {
	noSecrets         bool
	noVulnerabilities bool
	cacheDir          string
	noCache           bool
	imageTimeout      time.Duration
	registry          registryFlags
	database          databaseFlags
}

func (f *imageScanFlags) define(cmd *cobra.Command) {
	addFlags(cmd, "Image", func(fs *pflag.FlagSet) {
		fs.BoolVar(&f.noSecrets, "no-secrets", false, "do not look for credentials in files of images, which takes the most time")
		fs.BoolVar(&f.noVulnerabilities, "no-vulnerabilities", false, "do not look for vulnerabilities, and need no database")
	})
	addFlags(cmd, "Database", f.database.defineScan)
	addFlags(cmd, "Network", func(fs *pflag.FlagSet) {
		f.registry.define(fs)
		f.registry.defineLogin(fs)
		f.database.defineOffline(fs)
	})
	addFlags(cmd, "Cache", func(fs *pflag.FlagSet) {
		fs.StringVar(&f.cacheDir, "cache-dir", "", "keep what layers of images hold in this `DIR` (default: in the user's cache)")
		fs.BoolVar(&f.noCache, "no-cache", false, "keep nothing of images after the scan")
	})
	addFlags(cmd, "Limit", func(fs *pflag.FlagSet) {
		fs.DurationVar(&f.imageTimeout, "image-timeout", 0, "give one image up after this `TIME` (default 1h)")
	})
}
