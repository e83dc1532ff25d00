package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // Maven names artifacts by SHA-1; nothing is trusted for it
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

// archive is a Java archive as far as it can be read without an index of Maven
// artifacts. Merge completes it, so that a kept layer does not depend on the index.
type archive struct {
	Path string `json:"path"` // with the path inside of the outer archive behind it
	// Artifacts are named by pom.properties files.
	Artifacts []artifact `json:"artifacts,omitempty"`
	Nested    []archive  `json:"nested,omitempty"`
	// Named is true where Artifacts names the archive itself. Otherwise the rest
	// is what may identify it.
	Named    bool      `json:"named,omitempty"`
	Manifest *artifact `json:"manifest,omitempty"` // as its manifest claims
	SHA1     string    `json:"sha1,omitempty"`
	// FileID and FileVersion are the two parts of a name like "id-1.0.jar".
	FileID      string `json:"file_id,omitempty"`
	FileVersion string `json:"file_version,omitempty"`
}

// artifact is a Maven coordinate.
type artifact struct {
	Group   string `json:"group"`
	ID      string `json:"id"`
	Version string `json:"version"`
}

// clean makes every text of an archive plain.
func (a *archive) clean() {
	a.Path, a.FileID, a.FileVersion = plain(a.Path), plain(a.FileID), plain(a.FileVersion)
	for i := range a.Artifacts {
		a.Artifacts[i].clean()
	}
	if a.Manifest != nil {
		a.Manifest.clean()
	}
	for i := range a.Nested {
		a.Nested[i].clean()
	}
}

func (a *artifact) clean() { a.Group, a.ID, a.Version = plain(a.Group), plain(a.ID), plain(a.Version) }

func (a artifact) complete() bool { return a.Group != "" && a.ID != "" && a.Version != "" }
func (a artifact) name() string   { return a.Group + ":" + a.ID }

// javaArchive says whether the file may be a Java archive.
func javaArchive(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jar", ".war", ".ear", ".par":
		return true
	default:
		return false
	}
}

// addJar reads a Java archive and the archives in it.
func (s *LayerScan) addJar(ctx context.Context, p string, f *spooled) error {
	if f.size == 0 {
		return nil // a placeholder of a build
	}
	j := &jarReader{opts: s.opts, left: s.opts.MaxFile}
	a, err := j.read(ctx, p, f, 1)
	if err != nil {
		return unlessFixture(p, err)
	}
	for _, err := range j.problems {
		s.problem(p, "packages", err.Error())
	}
	s.note(p)
	s.layer.Archives = append(s.layer.Archives, a)
	return nil
}

type jarReader struct {
	opts     Options
	left     int64 // bytes that may still be unpacked
	problems []error
}

// jarMemberSize bounds the small files of an archive that are read.
const jarMemberSize = 10 << 20

func (j *jarReader) read(ctx context.Context, p string, f *spooled, depth int) (archive, error) {
	a := archive{Path: p}
	a.FileID, a.FileVersion = splitJarName(path.Base(p))
	zr, err := openZip(f)
	if err != nil {
		return archive{}, err
	}
	for _, zf := range zr.File {
		if err := ctx.Err(); err != nil {
			return archive{}, err
		}
		switch base := path.Base(zf.Name); {
		case base == "pom.properties":
			data, err := j.member(zf)
			if err != nil {
				j.problem(p, err)
				continue
			}
			if art := parsePomProperties(data); art.complete() {
				a.Artifacts = append(a.Artifacts, art)
				a.Named = a.Named || a.FileID != "" && art.ID == a.FileID && art.Version == a.FileVersion
			}
		case base == "MANIFEST.MF":
			data, err := j.member(zf)
			if err != nil {
				j.problem(p, err)
				continue
			}
			a.Manifest = nil
			if art := parseManifest(data); art.complete() {
				a.Manifest = &art
			}
		case nestedArchive(zf.Name):
			if err := j.nested(ctx, &a, zf, depth); err != nil {
				return archive{}, err
			}
		}
	}
	if a.Named {
		a.Manifest = nil
		return a, nil
	}
	sum := sha1.New() //nolint:gosec // see the import
	if _, err := io.Copy(sum, f.section()); err != nil {
		return archive{}, readError{err}
	}
	a.SHA1 = fmt.Sprintf("%x", sum.Sum(nil))
	return a, nil
}

// nestedArchive says whether a member is an archive of its own. Its name must not
// lead out of the outer one.
func nestedArchive(name string) bool {
	switch path.Ext(name) {
	case ".jar", ".ear", ".war":
		return !strings.HasSuffix(name, "/") && !strings.HasPrefix(path.Clean(name), "..")
	default:
		return false
	}
}

// nested reads an archive inside of another. What is wrong with it does not spoil
// the outer one; an error is for what ends the layer.
func (j *jarReader) nested(ctx context.Context, a *archive, zf *zip.File, depth int) error {
	full := path.Join(a.Path, path.Clean("/"+zf.Name))
	if zf.UncompressedSize64 == 0 {
		return nil
	}
	if depth >= j.opts.MaxArchiveDepth {
		j.problem(full, fmt.Errorf("it lies deeper than %d archives", j.opts.MaxArchiveDepth))
		return nil
	}
	f, err := j.unpack(zf)
	if err == nil {
		defer f.Close()
		j.left -= f.size
		var inner archive
		if inner, err = j.read(ctx, full, f, depth+1); err == nil {
			a.Nested = append(a.Nested, inner)
			return nil
		}
	}
	var re readError
	if errors.As(err, &re) || ctx.Err() != nil {
		return err
	}
	j.problem(full, err)
	return nil
}

// unpack makes a nested archive readable at random.
func (j *jarReader) unpack(zf *zip.File) (*spooled, error) {
	r, err := zf.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	c := &content{r: io.LimitReader(unpacking{r}, j.left+1)}
	f, err := c.spool(j.opts.SpoolDir, j.left)
	var broken unpackError
	switch {
	case errors.Is(err, errTooLarge):
		return nil, fmt.Errorf("the archives in it unpack to more than the limit of %d bytes", j.opts.MaxFile)
	case errors.As(err, &broken):
		return nil, broken.err
	default:
		return f, err
	}
}

// unpacking marks errors of the archive, so that they are not taken for errors of
// the stream or of this machine.
type unpacking struct{ r io.Reader }

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unpackError{err}
	}
	return n, err
}

type unpackError struct{ err error }

func (e unpackError) Error() string { return e.err.Error() }

func (j *jarReader) member(zf *zip.File) ([]byte, error) {
	data, err := readZipFile(zf, min(jarMemberSize, j.left))
	j.left -= int64(len(data))
	return data, err
}

func (j *jarReader) problem(p string, err error) {
	if unlessFixture(p, err) != nil && len(j.problems) < 100 {
		j.problems = append(j.problems, fmt.Errorf("%s: %w", oneLine(p), err))
	}
}

var jarName = regexp.MustCompile(`^([a-zA-Z0-9\._-]*[^-*])-(\d\S*(?:-SNAPSHOT)?).jar$`)

// splitJarName takes "spring-core-5.3.4-SNAPSHOT.jar" apart.
func splitJarName(base string) (id, version string) {
	if m := jarName.FindStringSubmatch(base); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

func parsePomProperties(data []byte) artifact {
	var a artifact
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		switch key {
		case "groupId":
			a.Group = oneLine(value)
		case "artifactId":
			a.ID = oneLine(value)
		case "version":
			a.Version = oneLine(value)
		}
	}
	return a
}

// parseManifest finds what the main section of a manifest says of the archive.
func parseManifest(data []byte) artifact {
	attrs := map[string]string{}
	for _, line := range manifestLines(data) {
		key, value, ok := strings.Cut(line, ":")
		words := strings.Fields(line)
		if !ok || len(words) < 2 || strings.HasPrefix(words[1], "%") { // "%name" is a variable
			continue
		}
		attrs[key] = value
	}
	pick := func(keys ...string) string {
		for _, k := range keys {
			if attrs[k] != "" {
				return strings.TrimSpace(attrs[k])
			}
		}
		return ""
	}
	// The name of a bundle ends with the artifact; what stands before is the group.
	group := attrs["Implementation-Vendor-Id"]
	if bundle := attrs["Bundle-SymbolicName"]; group == "" && bundle != "" {
		group = bundle
		if i := strings.LastIndex(bundle, "."); i > 0 {
			group = bundle[:i]
		}
	}
	if group == "" {
		group = pick("Implementation-Vendor", "Specification-Vendor")
	}
	return artifact{
		Group:   strings.TrimSpace(group),
		ID:      pick("Implementation-Title", "Specification-Title", "Bundle-Name"),
		Version: pick("Implementation-Version", "Specification-Version", "Bundle-Version"),
	}
}

// manifestLines returns the lines of the main section, up to the first empty one.
// Lines end with CR, LF or both; one that starts with a space goes on with the
// line before.
func manifestLines(data []byte) []string {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	var out []string
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' && len(out) > 0 {
			out[len(out)-1] += string(line[1:])
			continue
		}
		out = append(out, string(line))
	}
	return out
}
