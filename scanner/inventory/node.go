package inventory

import (
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

var nodeName = regexp.MustCompile(`^(@[A-Za-z0-9-._]+/)?[A-Za-z0-9-._]+$`)

// addPackageJSON reads an installed Node.js package. Files without a name or a
// version are no packages but hints for bundlers.
func (s *LayerScan) addPackageJSON(p string, data []byte) error {
	pk, ok, err := parsePackageJSON(data)
	if err != nil {
		if !nodePackageRoot(p) {
			// Test fixtures of packages are broken on purpose.
			s.opts.Log.Debug("not a Node.js package", "path", p, "reason", err)
			return nil
		}
		return err
	}
	if ok {
		s.addApplication(types.NodePkg, p, []pkg{pk})
	}
	return nil
}

func parsePackageJSON(data []byte) (pk pkg, ok bool, err error) {
	var doc struct {
		Name     string          `json:"name"`
		Version  string          `json:"version"`
		License  json.RawMessage `json:"license"`
		Licenses json.RawMessage `json:"licenses"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return pkg{}, false, err
	}
	if doc.Name == "" || doc.Version == "" {
		return pkg{}, false, nil
	}
	if !nodeName.MatchString(doc.Name) {
		return pkg{}, false, errors.New("its name is no valid package name")
	}
	pk = pkg{Name: doc.Name, Version: doc.Version, Licenses: nodeLicenses(doc.License)}
	if pk.Licenses == nil {
		pk.Licenses = nodeLicenses(doc.Licenses)
	}
	return pk, true, nil
}

// nodeLicenses reads the forms that were ever allowed: a string, an object with
// type, or a list of either.
func nodeLicenses(raw json.RawMessage) []string {
	var text string
	var object struct {
		Type string `json:"type"`
	}
	var list []json.RawMessage
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &text) == nil && text != "":
		return []string{oneLine(text)}
	case json.Unmarshal(raw, &object) == nil && object.Type != "":
		return []string{oneLine(object.Type)}
	case raw[0] == '[' && json.Unmarshal(raw, &list) == nil:
		var out []string
		for _, one := range list {
			if len(one) > 0 && one[0] != '[' {
				out = append(out, nodeLicenses(one)...)
			}
		}
		return out
	}
	return nil
}

// nodePackageRoot says whether the path is that of a package's own package.json
// below a node_modules, not of a file somewhere inside a package.
func nodePackageRoot(p string) bool {
	_, inside, ok := cutLast(path.Dir(p), "node_modules/")
	if !ok {
		return false
	}
	depth := strings.Count(inside, "/")
	return depth == 0 && !strings.HasPrefix(inside, "@") || depth == 1 && strings.HasPrefix(inside, "@")
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
