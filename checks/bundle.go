package checks

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner/facts"
)

// What a bundle of policies may hold: far more than anybody writes, and little
// enough to be unpacked in memory.
const (
	bundleMaxBytes   = 32 << 20 // uncompressed, all files
	bundleMaxEntries = 10_000
)

// Bundle is the source of the policies of a bundle in the layout of OPA: a tar,
// gzipped or not, with the files of a policy folder. It is unpacked in memory;
// nothing is written. name is what errors and Check.File call it.
//
// The folder may stand below others that hold nothing else, as `tar czf b.tgz
// my-policies` makes them. What is no Rego (the manifest, data, signatures) is
// left out: policies read facts and parameters alone. A key that is not nil must
// have signed every file of the bundle as it is. The error is for what is no
// tar, for links, devices and paths that lead out of the bundle, for a file that
// stands twice, for more than 32 MiB, for a bundle without policies, and for one
// that the key did not sign.
func Bundle(r io.Reader, name string, key *BundleKey) (Source, error) {
	files, err := readBundle(r)
	if err == nil && key != nil {
		err = key.verify(files)
	}
	if err != nil {
		return Source{}, fmt.Errorf("read the policy bundle %s: %w", name, err)
	}
	files = slices.DeleteFunc(files, func(f bundleFile) bool { return path.Ext(f.path) != ".rego" })
	if len(files) == 0 {
		return Source{}, fmt.Errorf("read the policy bundle %s: it holds no file of Rego; a bundle that was compiled to WebAssembly cannot be judged by", name)
	}
	fsys, err := memoryFS(strip(files))
	if err != nil {
		return Source{}, fmt.Errorf("read the policy bundle %s: %w", name, err)
	}
	return Source{FS: fsys, Name: name}, nil
}

// bundleFile is a plain file in a bundle.
type bundleFile struct {
	path string
	text []byte
}

// readBundle reads the files out of a tar.
func readBundle(r io.Reader) ([]bundleFile, error) {
	br := bufio.NewReader(r)
	r = br
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		gz, err := gzip.NewReader(br)
		if err != nil {
			return nil, err
		}
		r = gz
	}
	raw, err := io.ReadAll(io.LimitReader(r, bundleMaxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > bundleMaxBytes:
		return nil, fmt.Errorf("it is larger than %d MiB", bundleMaxBytes>>20)
	case len(raw) == 0:
		return nil, errors.New("it is empty")
	case !bytes.HasSuffix(raw, make([]byte, 1024)):
		return nil, errors.New("it is no tar, or one that is cut off: the end is missing")
	}
	return readTar(tar.NewReader(bytes.NewReader(raw)))
}

func readTar(tr *tar.Reader) ([]bundleFile, error) {
	seen := map[string]bool{}
	var out []bundleFile
	for entries := 0; ; entries++ {
		head, err := tr.Next()
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("it is no tar, or a broken one: %w", err)
		case entries >= bundleMaxEntries:
			return nil, fmt.Errorf("it has more than %d entries", bundleMaxEntries)
		}
		name, err := bundlePath(head)
		if err != nil {
			return nil, err
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("%q stands twice", name)
		}
		seen[name] = true
		text, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, bundleFile{name, text})
	}
}

// bundlePath is the clean path of an entry; OPA itself writes them with a slash
// in front.
func bundlePath(head *tar.Header) (string, error) {
	switch head.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader:
	default:
		return "", fmt.Errorf("%q is a link or a device; a bundle holds plain files", head.Name)
	}
	name := strings.TrimPrefix(head.Name, "/")
	if strings.ContainsAny(name, "\\\x00") || slices.Contains(strings.Split(name, "/"), "..") || strings.HasPrefix(name, "/") {
		return "", fmt.Errorf("%q leads out of the bundle", head.Name)
	}
	return path.Clean(name), nil
}

// strip takes folders off that hold everything, down to that of the subjects.
// Files that stand below no subject stay where they are, for the catalogue to say so.
func strip(files []bundleFile) []bundleFile {
	out := slices.Clone(files)
	for {
		first, _, nested := strings.Cut(out[0].path, "/")
		switch {
		case !nested:
			return files
		case first == "lib", slices.Contains(facts.Kinds(), facts.Kind(first)):
			return out
		}
		for i := range out {
			rest, below := strings.CutPrefix(out[i].path, first+"/")
			if !below {
				return files
			}
			out[i].path = rest
		}
	}
}

// memoryFS holds files in memory. A zip is the one archive of the standard
// library that is a file system too.
func memoryFS(files []bundleFile) (*zip.Reader, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		out, err := w.CreateHeader(&zip.FileHeader{Name: f.path, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := out.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
}
