package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// rpmDatabase says whether the path is where rpm keeps its packages.
func rpmDatabase(p string) bool {
	switch p {
	case "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages", // Berkeley DB
		"var/lib/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages.db", // ndb
		"var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite":
		return true
	default:
		return false
	}
}

const (
	rpmManifest = "var/lib/rpmmanifest/container-manifest-2"
	// rpmMaxHeader is rpm's own limit for the header of one package.
	rpmMaxHeader = 256 << 20
)

// addRPM reads a database of rpm. The three formats are told apart by their first
// bytes. One package header is held in memory at a time.
func (s *LayerScan) addRPM(ctx context.Context, p string, f *spooled) error {
	db := database{Path: p, Format: "rpm"}
	bad := 0
	each := func(header []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := parseRPMHeader(header)
		if err != nil {
			bad++
			s.opts.Log.Debug("rpm header not read", "path", p, "reason", err)
			return nil
		}
		db.Packages = append(db.Packages, h.pkg())
		if h.vendorIsOS() {
			h.eachFile(s.own)
		}
		return nil
	}
	err := readRPMDatabase(f, each)
	sortPackages(db.Packages)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, db)
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of its package headers are broken", bad)
	}
	return err
}

// readRPMDatabase calls each with every package header in the database.
func readRPMDatabase(f *spooled, each func([]byte) error) error {
	if f.size == 0 {
		return nil
	}
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return readError{err}
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte(sqliteMagic)):
		return readRPMSQLite(f, f.size, each)
	case bytes.HasPrefix(head, []byte(ndbMagic)):
		return readNDB(f, f.size, each)
	default:
		return readBDB(f, f.size, head, each)
	}
}

// The tags of a package header that matter.
const (
	tagName       = 1000
	tagVersion    = 1001
	tagRelease    = 1002
	tagEpoch      = 1003
	tagVendor     = 1011
	tagLicense    = 1014
	tagArch       = 1022
	tagSourceRPM  = 1044
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
	tagModularity = 5096
)

// rpmHeader is what matters of a package header.
type rpmHeader struct {
	text       map[uint32]string
	epoch      int
	baseNames  []byte // strings, each with a NUL behind it
	dirNames   []byte
	dirIndexes []byte // big-endian int32
}

// parseRPMHeader reads a header as it stands in a database: the number of index
// entries, the length of the data, the entries, the data; all big-endian.
func parseRPMHeader(b []byte) (*rpmHeader, error) {
	if len(b) < 8 {
		return nil, errors.New("a package header is cut off")
	}
	count, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if count == 0 || uint64(count)*16+uint64(size)+8 > uint64(len(b)) {
		return nil, errors.New("a package header is longer than its record")
	}
	index := b[8 : 8+int(count)*16]
	data := b[8+int(count)*16:][:size]
	h := &rpmHeader{text: make(map[uint32]string, 8)}
	for ; len(index) > 0; index = index[16:] {
		tag, kind := binary.BigEndian.Uint32(index), binary.BigEndian.Uint32(index[4:])
		offset, n := binary.BigEndian.Uint32(index[8:]), binary.BigEndian.Uint32(index[12:])
		if err := h.add(tag, kind, n, offset, data); err != nil {
			return nil, err
		}
	}
	if h.text[tagName] == "" || h.text[tagVersion] == "" {
		return nil, errors.New("a package header names no package")
	}
	return h, nil
}

// The types of header data.
const (
	rpmInt32       = 4
	rpmString      = 6
	rpmStringArray = 8
)

// add reads the data of one index entry. Where a tag stands twice the later one
// counts: rpm appends what it changed.
func (h *rpmHeader) add(tag, kind, n, offset uint32, data []byte) error {
	var want uint32
	switch tag {
	case tagName, tagVersion, tagRelease, tagVendor, tagLicense, tagArch, tagSourceRPM, tagModularity:
		want = rpmString
	case tagEpoch, tagDirIndexes:
		want = rpmInt32
	case tagBaseNames, tagDirNames:
		want = rpmStringArray
	default:
		return nil
	}
	if kind != want && !(kind == 9 && want == rpmString) { // 9: translated strings, the first is the original
		return fmt.Errorf("tag %d of a package header has type %d", tag, kind)
	}
	if uint64(offset) > uint64(len(data)) {
		return fmt.Errorf("tag %d of a package header points behind its end", tag)
	}
	data = data[offset:]
	switch want {
	case rpmString:
		text, _, ok := bytes.Cut(data, []byte{0})
		if !ok {
			return fmt.Errorf("tag %d of a package header has no end", tag)
		}
		h.text[tag] = string(text)
		if h.text[tag] == "(none)" {
			h.text[tag] = ""
		}
	case rpmInt32:
		if uint64(n)*4 > uint64(len(data)) {
			return fmt.Errorf("tag %d of a package header is cut off", tag)
		}
		switch {
		case tag == tagDirIndexes:
			h.dirIndexes = data[:n*4]
		case n > 0:
			h.epoch = int(int32(binary.BigEndian.Uint32(data))) //nolint:gosec // the format's own type
		}
	case rpmStringArray:
		end := 0
		for range n {
			i := bytes.IndexByte(data[end:], 0)
			if i < 0 {
				return fmt.Errorf("tag %d of a package header is cut off", tag)
			}
			end += i + 1
		}
		if tag == tagBaseNames {
			h.baseNames = data[:end]
		} else {
			h.dirNames = data[:end]
		}
	}
	return nil
}

func (h *rpmHeader) pkg() pkg {
	p := pkg{
		Name: h.text[tagName], Epoch: h.epoch, Version: h.text[tagVersion], Release: h.text[tagRelease],
		Arch: h.text[tagArch], SrcEpoch: h.epoch, Modularity: h.text[tagModularity],
		Maintainer: oneLine(h.text[tagVendor]), ThirdParty: !h.vendorIsOS(),
	}
	p.ID = fmt.Sprintf("%s@%s-%s.%s", p.Name, p.Version, p.Release, p.Arch)
	if p.Arch == "" {
		p.Arch = "None"
	}
	if l := h.text[tagLicense]; l != "" {
		p.Licenses = []string{oneLine(l)}
	}
	if src := h.text[tagSourceRPM]; src != "" {
		p.SrcName, p.SrcVersion, p.SrcRelease, _ = splitRPMName(src)
	}
	return p
}

// vendorIsOS says whether the distribution itself built the package.
func (h *rpmHeader) vendorIsOS() bool {
	vendor := h.text[tagVendor]
	if vendor == "" {
		return strings.Contains(h.text[tagRelease], "amzn") // Amazon leaves the vendor out
	}
	for _, known := range []string{
		"Amazon Linux", "Amazon.com", "CentOS", "Fedora Project", "Oracle America", "Red Hat", "AlmaLinux",
		"CloudLinux", "VMware", "SUSE", "openSUSE", "Microsoft Corporation", "Rocky",
	} {
		if strings.HasPrefix(vendor, known) {
			return true
		}
	}
	return false
}

// eachFile calls f with the path of every file of the package. A package whose
// lists do not fit together owns nothing.
func (h *rpmHeader) eachFile(f func(string)) {
	dirs := bytes.Split(bytes.TrimSuffix(h.dirNames, []byte{0}), []byte{0})
	names := h.baseNames
	for i := 0; len(names) > 0 && len(h.dirIndexes) >= 4*(i+1); i++ {
		name, rest, _ := bytes.Cut(names, []byte{0})
		names = rest
		dir := binary.BigEndian.Uint32(h.dirIndexes[4*i:])
		if uint64(dir) < uint64(len(dirs)) {
			f(path.Join(string(dirs[dir]), string(name)))
		}
	}
}

// splitRPMName takes "name-version-release.arch.rpm" apart.
func splitRPMName(file string) (name, version, release string, ok bool) {
	file = strings.TrimSuffix(file, ".rpm")
	rest, _, ok1 := cutLast(file, ".")
	rest, release, ok2 := cutLast(rest, "-")
	name, version, ok3 := cutLast(rest, "-")
	if !ok1 || !ok2 || !ok3 {
		return "", "", "", false
	}
	return name, version, release, true
}

// addRPMManifest reads the list of packages that distroless images of Azure Linux
// have in place of a database: ten columns, separated by tabs.
func (s *LayerScan) addRPMManifest(p string, data []byte) error {
	pkgs, bad := parseRPMManifest(data)
	s.note(p)
	s.layer.Databases = append(s.layer.Databases, database{Path: p, Format: "rpm", Packages: pkgs})
	if bad > 0 {
		return fmt.Errorf("%d of its lines cannot be read", bad)
	}
	return nil
}

func parseRPMManifest(data []byte) (pkgs []pkg, bad int) {
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			continue
		}
		col := strings.Split(text, "\t")
		if len(col) != 10 {
			bad++
			continue
		}
		version, release, ok := strings.Cut(col[1], "-")
		epoch, err := strconv.Atoi(col[8])
		srcName, srcVersion, srcRelease, srcOK := splitRPMName(col[9])
		if !ok || col[0] == "" || strings.Contains(release, "-") || err != nil || !srcOK {
			bad++
			continue
		}
		pkgs = append(pkgs, pkg{
			Name: col[0], Version: version, Release: release, Epoch: epoch, Arch: col[7],
			SrcName: srcName, SrcVersion: srcVersion, SrcRelease: srcRelease, SrcEpoch: epoch,
		})
	}
	sortPackages(pkgs)
	return pkgs, bad
}
