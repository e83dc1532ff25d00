package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// files is a set of files by name: the folder of an OCI layout, or the archive
// that docker save and others write.
type files interface {
	// open returns a file and its size; fs.ErrNotExist where there is none.
	open(name string) (io.ReadCloser, int64, error)
	Close() error
}

// folder is a directory. Names cannot lead out of it.
type folder struct{ root *os.Root }

func openFolder(dir string) (files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

func (f *folder) Close() error { return f.root.Close() }

func (f *folder) open(name string) (io.ReadCloser, int64, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	st, err := file.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%q is no regular file", name)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	return file, st.Size(), nil
}

// tarFile is a tar archive that was indexed once: its members are read at random,
// several at a time.
type tarFile struct {
	file    *os.File
	temp    bool // it is a temporary file
	members map[string]section
	links   map[string]string // symbolic and hard links: docker save of old wrote a layer once
}

type section struct{ offset, size int64 }

// maxMembers bounds the members of an archive: a layer or two files each.
const maxMembers = 100_000

// indexTar reads the headers of the archive; it does not read the members. The
// file is closed by Close, also where an error is returned.
func indexTar(ctx context.Context, f *os.File, temp bool) (*tarFile, error) {
	t := &tarFile{file: f, temp: temp, members: map[string]section{}, links: map[string]string{}}
	tr := tar.NewReader(f)
	for n := 1; ; n++ {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err == nil && n > maxMembers {
			err = fmt.Errorf("%w: the archive has more than %d members", ErrLimit, maxMembers)
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			_ = t.Close()
			return nil, archiveError(ctx, n, err)
		}
		name := cleanPath(hdr.Name)
		switch hdr.Typeflag {
		case tar.TypeReg:
			at, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				_ = t.Close()
				return nil, err
			}
			t.members[name] = section{at, hdr.Size}
		case tar.TypeSymlink:
			t.links[name] = cleanPath(path.Join(path.Dir(name), hdr.Linkname))
		case tar.TypeLink:
			t.links[name] = cleanPath(hdr.Linkname)
		default: // directories have no content
		}
	}
}

// archiveError says what is wrong with the n-th header of an archive.
func archiveError(ctx context.Context, n int, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case n == 1 && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader)):
		return fmt.Errorf("%w: it is no archive of docker save, no OCI layout and no SBOM", ErrNotImage)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the archive ends in the middle of a file", ErrTruncated)
	case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
		return fmt.Errorf("%w: the archive: %s", ErrCorrupt, plain(err.Error()))
	default:
		return redact(err)
	}
}

func (t *tarFile) Close() error {
	err := t.file.Close()
	if t.temp {
		// Its name went when it was made, but on systems that keep open files.
		_ = os.Remove(t.file.Name())
	}
	return err
}

func (t *tarFile) open(name string) (io.ReadCloser, int64, error) {
	name = cleanPath(name)
	for range 8 { // links to links; more is a circle
		if s, ok := t.members[name]; ok {
			return io.NopCloser(io.NewSectionReader(t.file, s.offset, s.size)), s.size, nil
		}
		next, ok := t.links[name]
		if !ok {
			break
		}
		name = next
	}
	return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// fileStore is the content of an OCI layout.
type fileStore struct{ files files }

func blobName(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

func (s *fileStore) has(h v1.Hash) bool {
	f, _, err := s.files.open(blobName(h))
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

func (s *fileStore) manifest(ctx context.Context, h v1.Hash) ([]byte, error) {
	return s.blob(ctx, h, manifestLimit)
}

func (s *fileStore) blob(_ context.Context, h v1.Hash, most int64) ([]byte, error) {
	raw, err := readMember(s.files, blobName(h), most)
	if err != nil {
		return nil, err
	}
	if err := verifyBytes(raw, h.String()); err != nil {
		return nil, fmt.Errorf("blob %s: %w", h, err)
	}
	return raw, nil
}

func (s *fileStore) open(_ context.Context, h v1.Hash, _ int64) (io.ReadCloser, error) {
	f, _, err := s.files.open(blobName(h))
	return f, missingMember(err)
}

// missingMember gives the error of a lacking file its type.
func missingMember(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) && errors.Is(err, fs.ErrNotExist) {
		return &cleanError{text: fmt.Sprintf("%s: it lacks the file %q", ErrCorrupt, pe.Path), cause: errors.Join(ErrCorrupt, ErrNotFound)}
	}
	return err
}

// readMember reads a small file whole.
func readMember(f files, name string, most int64) ([]byte, error) {
	r, _, err := f.open(name)
	if err != nil {
		return nil, missingMember(err)
	}
	defer r.Close() //nolint:errcheck // read only
	raw, err := readAll(r, most)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	return raw, nil
}

// local is what a path of the user's holds.
type local struct {
	kind  string // docker-archive or oci-layout
	ref   string // the reference that the image itself names; empty for none
	pics  []*picture
	files files // to be closed after the layers were read
}

// openFiles finds the image in a set of files. choice selects one of several, by
// reference, tag or digest; empty where there is one alone.
func openFiles(ctx context.Context, f files, choice string, want wanted) (*local, error) {
	raw, err := readMember(f, "index.json", manifestLimit)
	if err == nil {
		return openLayout(ctx, f, raw, choice, want)
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	raw, err = readMember(f, "manifest.json", manifestLimit)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: there is neither an index.json (OCI layout) nor a manifest.json (docker save)", ErrNotImage)
	}
	if err != nil {
		return nil, err
	}
	return openDockerArchive(f, raw, choice, want)
}

// openLayout opens an OCI layout.
func openLayout(ctx context.Context, f files, raw []byte, choice string, want wanted) (*local, error) {
	doc, err := parseManifest(raw)
	if err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	if doc.index == nil {
		return nil, fmt.Errorf("%w: index.json is no index", ErrCorrupt)
	}
	var list []v1.Descriptor
	names := map[v1.Hash]string{} // one image may be listed under several names
	named := 0
	for _, d := range doc.index.Manifests {
		ref := layoutName(d)
		if choice != "" && choice != ref && choice != d.Annotations["org.opencontainers.image.ref.name"] && choice != d.Digest.String() {
			continue
		}
		if old, seen := names[d.Digest]; seen {
			if old == "" {
				names[d.Digest] = ref
			}
			continue
		}
		if ref != "" {
			named++
		}
		names[d.Digest] = ref
		list = append(list, d)
	}
	switch {
	case len(doc.index.Manifests) == 0:
		return nil, fmt.Errorf("%w: index.json lists no image", ErrNotImage)
	case len(list) == 0:
		return nil, fmt.Errorf("%w: the layout has %s, not %q", ErrNotFound, listNames(doc.index.Manifests), choice)
	}
	if named > 1 && distinct(names) > 1 {
		return nil, fmt.Errorf("%w: the layout has several images; choose one of %s as PATH:NAME", ErrUsage, listNames(list))
	}
	st := &fileStore{f}
	l := &local{kind: "oci-layout", ref: names[list[0].Digest], files: f}
	if len(list) > 1 {
		l.pics, err = indexPictures(ctx, st, &v1.IndexManifest{Manifests: list}, v1.Hash{}, want)
		return l, err
	}
	m, err := st.manifest(ctx, list[0].Digest)
	if err != nil {
		return nil, err
	}
	l.pics, err = pictures(ctx, st, m, list[0].Digest, want)
	return l, err
}

// distinct counts the different names.
func distinct(names map[v1.Hash]string) int {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return len(set)
}

// layoutName is the name that the layout gives an image: containerd writes the
// whole reference, others often the tag alone.
func layoutName(d v1.Descriptor) string {
	if n := d.Annotations["io.containerd.image.name"]; n != "" {
		return n
	}
	return d.Annotations["org.opencontainers.image.ref.name"]
}

func listNames(list []v1.Descriptor) string {
	var names []string
	for _, d := range list {
		n := layoutName(d)
		if n == "" {
			n = d.Digest.String()
		}
		names = append(names, plain(n))
		if len(names) == 20 {
			names = append(names, "…")
			break
		}
	}
	return strings.Join(names, ", ")
}

// openDockerArchive opens what docker save wrote before it wrote OCI layouts, and
// what Podman, Skopeo, Bazel and Kaniko write as docker-archive.
func openDockerArchive(f files, raw []byte, choice string, want wanted) (*local, error) {
	var list []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%w: manifest.json: %s", ErrCorrupt, plain(err.Error()))
	}
	var names []string
	for _, m := range list {
		names = append(names, m.RepoTags...)
	}
	// find returns the last image with a name that fits, and how many there are.
	find := func(fits func(name string) bool) (at int, ref string, images int) {
		for i, m := range list {
			if k := slices.IndexFunc(m.RepoTags, fits); k >= 0 {
				at, ref, images = i, m.RepoTags[k], images+1
			}
		}
		return at, ref, images
	}
	at, ref, images := find(func(name string) bool { return choice == "" || name == choice })
	if images == 0 {
		at, ref, images = find(func(name string) bool { return strings.HasSuffix(name, ":"+choice) })
	}
	switch {
	case len(list) == 0:
		return nil, fmt.Errorf("%w: manifest.json lists no image", ErrNotImage)
	case choice != "" && images == 0:
		return nil, fmt.Errorf("%w: the archive has %s, not %q", ErrNotFound, plain(strings.Join(names, ", ")), choice)
	case images > 1, choice == "" && len(list) > 1:
		return nil, fmt.Errorf("%w: the archive has several images; choose one of %s as PATH:NAME", ErrUsage, plain(strings.Join(names, ", ")))
	}
	m := list[at]
	conf, err := readMember(f, m.Config, configLimit)
	if err != nil {
		return nil, fmt.Errorf("configuration of the image: %w", err)
	}
	file, err := parseConfig(conf)
	if err != nil {
		return nil, err
	}
	if len(file.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("%w: manifest.json lists %d layers, the configuration %d", ErrCorrupt, len(m.Layers), len(file.RootFS.DiffIDs))
	}
	p := &picture{configID: digestOf(conf), config: file, platform: platformOf(file)}
	if want.explicit && !want.all && !matches(p.platform, want.platform) {
		return nil, fmt.Errorf("%w: %s is wanted, the image is for %s", ErrPlatform, want.platform, p.platform)
	}
	for i, name := range m.Layers {
		b, err := archiveLayer(f, name, file.RootFS.DiffIDs[i].String())
		if err != nil {
			return nil, err
		}
		p.layers = append(p.layers, b)
	}
	return &local{kind: "docker-archive", ref: ref, pics: []*picture{p}, files: f}, nil
}

// archiveLayer describes a layer of a docker-archive. Mostly it is stored as it is,
// and then its diff ID is its digest; of one that is compressed nobody says the digest.
func archiveLayer(f files, name, diffID string) (blob, error) {
	r, size, err := f.open(name)
	if err != nil {
		return blob{}, missingMember(err)
	}
	defer r.Close() //nolint:errcheck // read only
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return blob{}, fmt.Errorf("read %q: %w", name, err)
	}
	b := blob{
		diffID: diffID, size: size,
		open: func(context.Context) (io.ReadCloser, error) {
			r, _, err := f.open(name)
			return r, missingMember(err)
		},
	}
	switch compression(string(head[:n])) {
	case "":
		b.digest, b.mediaType = diffID, "application/vnd.docker.image.rootfs.diff.tar"
	case "gzip":
		b.mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	case "zstd":
		b.mediaType = "application/vnd.docker.image.rootfs.diff.tar.zstd"
	}
	return b, nil
}

// openPath opens a file or folder that the user named. A compressed archive is
// unpacked to a temporary file without a name.
func openPath(ctx context.Context, name string, lim Limits, spoolDir string) (files, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return openFolder(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if compression(string(head[:n])) == "" {
		return indexTar(ctx, f, false)
	}
	defer f.Close() //nolint:errcheck // read only
	a := readAhead(f, func([]byte) error { return nil })
	defer a.close()
	r, done, err := decompress(a)
	if err != nil {
		return nil, err
	}
	defer done()
	spooled, err := spool(ctx, r, lim, spoolDir)
	if err != nil {
		return nil, err
	}
	return indexTar(ctx, spooled, true)
}

// spool writes a stream to a temporary file that has no name any more, so that
// nothing is left behind however the program ends.
func spool(ctx context.Context, r io.Reader, lim Limits, dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "postscan-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	_ = os.Remove(f.Name())
	buf := make([]byte, aheadSize)
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, &cancelled{ctx, io.LimitReader(r, lim.Spool+1)}, buf)
	if err == nil && n > lim.Spool {
		err = spoolError(lim.Spool)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("keep the image on disk: %w", err)
	}
	return f, nil
}

// cancelled is a reader that ends with its context.
type cancelled struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

// isSBOM says whether a file begins like a document: JSON, XML or SPDX's tags.
func isSBOM(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	head = bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf"))
	for line := range bytes.Lines(head) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		return line[0] == '{' || line[0] == '<' || bytes.HasPrefix(line, []byte("SPDXVersion"))
	}
	return false
}
