package vulndb

import (
	"context"
	"time"

	"github.com/aquasecurity/trivy/pkg/clock"
	osdetect "github.com/aquasecurity/trivy/pkg/detector/ospkg"
	ftypes "github.com/aquasecurity/trivy/pkg/fanal/types"
	"github.com/aquasecurity/trivy/pkg/types"

	"github.com/postscan/postscan/scanner/facts"
)

// EndOfLife says whether the vendor's support of the release has ended at now.
// known is false where no table has the release. It needs no database: the
// dates are those of trivy's detectors.
func EndOfLife(d facts.Distribution, now time.Time) (ended, known bool) {
	switch ftypes.OSType(d.Family) {
	case ftypes.Wolfi, ftypes.Chainguard, ftypes.MinimOS, ftypes.OpenSUSETumbleweed:
		return false, true // rolling: the only release is the supported one
	case "", familyNone:
		return false, false
	}
	if d.Version == "" {
		return false, false
	}
	ended, ok := endedAt(d, now)
	if !ok {
		return false, false
	}
	// A release that no table has counts as supported at any time, so it still
	// does in the year 9999, where every date of every table has passed.
	lasts, _ := endedAt(d, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	return ended, lasts
}

// endedAt asks trivy's detector of the distribution; ok is false where there is
// none. With no packages to look at the detector reads no database.
func endedAt(d facts.Distribution, now time.Time) (ended, ok bool) {
	os := trivyOS(d)
	if os.Extended {
		os.Name += "-ESM" // as trivy calls a release in extended maintenance
	}
	detector, err := osdetect.NewDetector(types.ScanTarget{OS: os})
	if err != nil {
		return false, false
	}
	//nolint:forbidigo // nothing here can be waited for: the context only carries the clock
	_, ended, err = detector.Detect(clock.With(context.Background(), now))
	return ended, err == nil
}
