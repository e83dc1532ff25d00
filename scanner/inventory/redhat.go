package inventory

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
)

// build is what Red Hat's images say of the build that made a layer. Their
// advisories are keyed by the repositories that the build was given, or by its name.
type build struct {
	Path        string   `json:"path"`
	ContentSets []string `json:"content_sets,omitempty"`
	NVR         string   `json:"nvr,omitempty"`
	Arch        string   `json:"arch,omitempty"`
}

// buildReader returns the reader of a file of build information, nil for others.
func (s *LayerScan) buildReader(p string) func(string, []byte) error {
	dir, base := path.Split(p)
	switch {
	case (dir == "root/buildinfo/content_manifests/" || dir == "usr/share/buildinfo/") && path.Ext(base) == ".json":
		return s.addContentManifest
	case dir == "root/buildinfo/" && strings.HasPrefix(base, "Dockerfile"):
		return s.addBuildDockerfile
	default:
		return nil
	}
}

func (s *LayerScan) addContentManifest(p string, data []byte) error {
	var doc struct {
		ContentSets []string `json:"content_sets"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return err
	}
	if len(doc.ContentSets) > 0 {
		s.layer.Builds = append(s.layer.Builds, build{Path: p, ContentSets: doc.ContentSets})
	}
	return nil
}

// addBuildDockerfile reads the labels of component and architecture. The version
// and release of the build are in the file's name.
func (s *LayerScan) addBuildDockerfile(p string, data []byte) error {
	labels := dockerfileLabels(data)
	b := build{Path: p, Arch: labels["architecture"]}
	component := firstOf(labels["com.redhat.component"], labels["bzcomponent"])
	if component == "" || b.Arch == "" {
		return errors.New("it names no component or no architecture")
	}
	b.NVR = component + "-" + versionInName(p)
	s.layer.Builds = append(s.layer.Builds, b)
	return nil
}

// versionInName returns the last two parts of a name: "Dockerfile-ubi8-8.3-227".
func versionInName(p string) string {
	rest, _, ok := cutLast(p, "-")
	if !ok {
		return ""
	}
	return p[strings.LastIndexByte(rest, '-')+1:]
}

// dockerfileLabels collects the labels of a Dockerfile. Variables that ENV and ARG
// set are put in.
func dockerfileLabels(data []byte) map[string]string {
	labels, vars := map[string]string{}, map[string]string{}
	for _, line := range logicalLines(data) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(instruction) {
		case "ENV", "ARG":
			for k, v := range assignments(rest) {
				vars[k] = expand(v, vars)
			}
		case "LABEL":
			for k, v := range assignments(rest) {
				labels[strings.ToLower(expand(k, vars))] = oneLine(expand(v, vars))
			}
		}
	}
	return labels
}

// assignments reads `k=v "k"="v w"` or the old form `k v w`.
func assignments(s string) map[string]string {
	out := map[string]string{}
	words := shellWords(s)
	if len(words) > 1 && !strings.Contains(words[0], "=") {
		out[words[0]] = strings.Join(words[1:], " ")
		return out
	}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok {
			out[k] = v
		}
	}
	return out
}

// shellWords splits at blanks outside of quotes, which it takes away.
func shellWords(s string) []string {
	var out []string
	var word strings.Builder
	quote, inWord := byte(0), false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case c == '\\' && quote != '\'' && i+1 < len(s):
			i++
			word.WriteByte(s[i])
			inWord = true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				out = append(out, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		out = append(out, word.String())
	}
	return out
}

// expand puts variables in for "$name" and "${name}".
func expand(s string, vars map[string]string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			b.WriteByte(s[i])
			continue
		}
		rest := s[i+1:]
		if name, ok := strings.CutPrefix(rest, "{"); ok {
			if name, _, ok := strings.Cut(name, "}"); ok {
				b.WriteString(vars[name])
				i += len(name) + 2
			}
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] == '_' || rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 'A' && rest[n] <= 'Z' || rest[n] >= '0' && rest[n] <= '9') {
			n++
		}
		b.WriteString(vars[rest[:n]])
		i += n
	}
	return b.String()
}

// layerBuild joins what the files of one layer say.
func layerBuild(l *Layer) *build {
	if len(l.Builds) == 0 {
		return nil
	}
	var out build
	for _, b := range l.Builds {
		if b.NVR != "" || b.Arch != "" {
			out.NVR, out.Arch = b.NVR, b.Arch
		}
		if len(b.ContentSets) > 0 {
			out.ContentSets = b.ContentSets
		}
	}
	return &out
}

// buildOf finds the build that brought the packages of a layer. Red Hat's base
// layer says nothing itself: the one above it does. Layers on top of an image of
// Red Hat belong to the nearest below that does.
func (m *merger) buildOf(layer int) *build {
	if b := layerBuild(m.layers[layer]); b != nil {
		return b
	}
	if layer == 0 {
		if len(m.layers) > 1 {
			return layerBuild(m.layers[1])
		}
		return nil
	}
	for _, l := range slices.Backward(m.layers[:layer]) {
		if b := layerBuild(l); b != nil {
			return b
		}
	}
	return nil
}

// bottlerocketInventory says whether the file lists the packages of Bottlerocket,
// which has no package manager.
func bottlerocketInventory(p string) bool {
	return p == "aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json" ||
		p == "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json"
}

func (s *LayerScan) addBottlerocket(p string, data []byte) error {
	var doc struct {
		Content []struct {
			Name         string          `json:"Name"`
			Version      string          `json:"Version"`
			Release      string          `json:"Release"`
			Epoch        json.RawMessage `json:"Epoch"`
			Architecture string          `json:"Architecture"`
		} `json:"Content"`
	}
	if err := unmarshalFirst(data, &doc); err != nil {
		return err
	}
	db := database{Path: p, Format: "bottlerocket"}
	for _, c := range doc.Content {
		epoch := 0
		if text := strings.Trim(string(c.Epoch), `"`); text != "" && text != "null" {
			var err error
			if epoch, err = strconv.Atoi(text); err != nil {
				return errors.New("it has an epoch that is no number")
			}
		}
		db.Packages = append(db.Packages, pkg{
			Name: c.Name, Version: c.Version, Release: c.Release, Epoch: epoch, Arch: c.Architecture,
		})
	}
	sortPackages(db.Packages)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, db)
	return nil
}
