package vm

import (
	"cmp"
	"strings"
)

// flavour is the part of a kernel's release that says what it is built for: "amd64"
// of 6.1.0-18-amd64, "generic" of 5.15.0-91-generic, "el9.x86_64" is none. Kernels
// of one flavour replace each other.
func flavour(release string) string {
	base, variant, _ := strings.Cut(release, "+") // Fedora's +debug, +rt
	parts := strings.Split(base, "-")
	at := len(parts)
	for at > 1 && parts[at-1] != "" && (parts[at-1][0] < '0' || parts[at-1][0] > '9') {
		at--
	}
	if variant != "" {
		return strings.Join(append(parts[at:], variant), "-")
	}
	return strings.Join(parts[at:], "-")
}

// compareReleases orders two kernel releases as rpm orders versions: runs of
// digits by number, runs of letters by text, digits above letters. Release
// candidates ("-rc1") come before the release.
func compareReleases(a, b string) int {
	x, y := segments(a), segments(b)
	for i := 0; i < len(x) || i < len(y); i++ {
		switch {
		case i >= len(x):
			return -longer(y[i])
		case i >= len(y):
			return longer(x[i])
		}
		if c := compareSegments(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(a, b)
}

// longer says what one more segment means.
func longer(segment string) int {
	if segment == "rc" {
		return -1
	}
	return 1
}

func compareSegments(a, b string) int {
	aNumber, bNumber := isDigit(a[0]), isDigit(b[0])
	switch {
	case aNumber && bNumber:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case aNumber:
		return 1
	case bNumber:
		return -1
	default:
		return cmp.Compare(a, b)
	}
}

// segments cuts a text into runs of digits and of letters.
func segments(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		if !isDigit(s[i]) && !isLetter(s[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(s) && (isDigit(s[end]) && isDigit(s[i]) || isLetter(s[end]) && isLetter(s[i])) {
			end++
		}
		out = append(out, s[i:end])
		i = end
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
