package inventory

import (
	"bytes"
	"encoding/json"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// addApplication records the packages that a file proves.
func (s *LayerScan) addApplication(kind types.LangType, p string, pkgs []pkg) {
	if len(pkgs) == 0 {
		return
	}
	sortPackages(pkgs)
	s.note(p)
	s.layer.Applications = append(s.layer.Applications, application{Type: string(kind), Path: p, Packages: pkgs})
}

// unmarshalFirst reads the first JSON value of a file, with or without a byte
// order mark. What follows it is of no interest.
func unmarshalFirst(data []byte, v any) error {
	return json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))).Decode(v)
}
