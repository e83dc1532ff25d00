package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

// pythonMetadata says whether the file describes an installed Python package:
// METADATA of a wheel, or PKG-INFO of an egg in one of its forms.
func pythonMetadata(p string) bool {
	return path.Base(p) == "METADATA" && strings.Contains(p, ".dist-info") || eggInfo(p)
}

func eggInfo(p string) bool {
	return strings.HasSuffix(p, "EGG-INFO/PKG-INFO") || strings.HasSuffix(p, ".egg-info") ||
		strings.HasSuffix(p, ".egg-info/PKG-INFO") || strings.HasSuffix(p, ".egg-info/METADATA")
}

// addPython reads the metadata of an installed Python package.
func (s *LayerScan) addPython(p string, data []byte) error {
	pk, err := parsePythonMetadata(data)
	if err != nil {
		return unlessFixture(p, err)
	}
	s.addApplication(types.PythonPkg, p, []pkg{pk})
	return nil
}

// parsePythonMetadata reads the header of a metadata file: "Name: value" lines up
// to the first empty one.
func parsePythonMetadata(data []byte) (pkg, error) {
	var p pkg
	var license, expression string
	var classifiers []string
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		key, value, ok := strings.Cut(text, ":")
		if !ok || key != strings.TrimLeft(key, " \t") {
			continue // goes on with the line before
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "name":
			p.Name = firstOf(p.Name, value)
		case "version":
			p.Version = firstOf(p.Version, value)
		case "license":
			license = firstOf(license, value)
		case "license-expression":
			expression = firstOf(expression, value)
		case "classifier":
			if l, ok := strings.CutPrefix(value, "License :: "); ok {
				_, last, found := cutLast(l, " :: ")
				if !found {
					last = l
				}
				if last != "OSI Approved" {
					classifiers = append(classifiers, oneLine(last))
				}
			}
		}
	}
	if p.Name == "" || p.Version == "" {
		return pkg{}, errors.New("it names no package or no version")
	}
	switch {
	case expression != "":
		p.Licenses = []string{oneLine(expression)}
	case len(classifiers) > 0:
		p.Licenses = classifiers
	case license != "":
		p.Licenses = []string{oneLine(license)}
	}
	return p, nil
}

func firstOf(have, next string) string {
	if have != "" {
		return have
	}
	return next
}

// addEgg reads the metadata inside an egg archive. An archive without metadata
// is no package.
func (s *LayerScan) addEgg(_ context.Context, p string, f *spooled) error {
	zr, err := openZip(f)
	if err != nil {
		return unlessFixture(p, err)
	}
	for _, zf := range zr.File {
		if !eggInfo(zf.Name) {
			continue
		}
		data, err := readZipFile(zf, 1<<20)
		if err != nil {
			return err
		}
		pk, err := parsePythonMetadata(data)
		if err != nil {
			return unlessFixture(p, err)
		}
		s.addApplication(types.PythonPkg, p, []pkg{pk})
		return nil
	}
	return nil
}

// readZipFile unpacks one member of an archive, which may be at most limit bytes long.
func readZipFile(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s in it: %w", oneLine(f.Name), err)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	_ = r.Close()
	if err != nil {
		return nil, fmt.Errorf("%s in it: %w", oneLine(f.Name), err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s in it: %w of %d bytes", oneLine(f.Name), errTooLarge, limit)
	}
	return data, nil
}

// unlessFixture drops errors about files below a directory of tests: packages
// bring broken ones on purpose, to test themselves with.
func unlessFixture(p string, err error) error {
	for dir := range strings.SplitSeq(path.Dir(p), "/") {
		switch dir {
		case "test", "tests", "testing", "testdata", "__tests__", "spec", "fixtures", "__fixtures__", "examples":
			return nil
		}
	}
	return err
}
