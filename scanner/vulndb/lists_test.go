package vulndb

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

const (
	kevText = `{"title": "CISA Catalog", "catalogVersion": "2026.11.18", "dateReleased": "2026-11-18T15:00:00.0000Z", "count": 2,
		"vulnerabilities": [{"cveID": "CVE-2021-44228", "vendorProject": "Apache"}, {"cveID": "CVE-2023-5363"}]}`
	epssText = "#model_version:v2025.03.14,score_date:2026-11-19T12:55:00Z\ncve,epss,percentile\n" +
		"CVE-2021-44228,0.94358,0.99957\nCVE-2023-5363,0.00385,0.59\n"
)

func writeText(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func TestReadKEV(t *testing.T) {
	list, updated, err := readKEV(strings.NewReader(kevText))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 18, 15, 0, 0, 0, time.UTC); !updated.Equal(want) {
		t.Errorf("updated %v, want %v", updated, want)
	}
	for id, want := range map[string]bool{"CVE-2021-44228": true, "CVE-2023-5363": true, "CVE-2021-4422": false, "GHSA-jfh8-c2jp-5v3q": false, "": false} {
		if list.has(id) != want {
			t.Errorf("has(%q) is not %t", id, want)
		}
	}
	for name, tt := range map[string]struct{ text, says string }{
		"nothing":            {"", "CISA's JSON format"},
		"a web page":         {"<html>", "CISA's JSON format"},
		"another document":   {`{"packages": []}`, "CISA's JSON format"},
		"broken off":         {kevText[:len(kevText)-20], "CISA's JSON format"},
		"fewer than it says": {strings.Replace(kevText, `"count": 2`, `"count": 1400`, 1), "it is not whole"},
		"no CVE":             {strings.Replace(kevText, "CVE-2023-5363", "openssl", 1), `entry 2 has "openssl"`},
	} {
		if _, _, err := readKEV(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, tt.says)
		}
	}
}

func TestReadEPSS(t *testing.T) {
	for name, text := range map[string]string{"plain": epssText, "gzipped": zipped(epssText), "Windows line ends": strings.ReplaceAll(epssText, "\n", "\r\n")} {
		list, updated, err := readEPSS(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := time.Date(2026, 11, 19, 12, 55, 0, 0, time.UTC); !updated.Equal(want) {
			t.Errorf("%s: updated %v, want %v", name, updated, want)
		}
		if got := list.highest([]string{"CVE-2021-44228"}); got != 0.94358 {
			t.Errorf("%s: %v, want 0.94358", name, got)
		}
		if got := list.highest([]string{"GHSA-jfh8-c2jp-5v3q", "CVE-2023-5363", "CVE-2021-44228"}); got != 0.94358 {
			t.Errorf("%s: highest is %v, want 0.94358", name, got)
		}
		if got := list.highest([]string{"CVE-1999-0001"}); got != 0 {
			t.Errorf("%s: %v for one that is not listed, want 0", name, got)
		}
	}
	whole := zipped(epssText)
	for name, tt := range map[string]struct{ text, says string }{
		"nothing":           {"", "no scores"},
		"header alone":      {"cve,epss,percentile\n", "no scores"},
		"no header":         {"CVE-2021-44228,0.94358,0.99957\n", "the header"},
		"gzip broken off":   {whole[:len(whole)-12], "unexpected EOF"},
		"gzip of nothing":   {"\x1f\x8b", "unpack gzip"},
		"not a CVE":         {epssText + "openssl,0.1,0.2\n", `line 5: "openssl`},
		"not a number":      {epssText + "CVE-2023-1111,high,0.2\n", "no probability"},
		"not a probability": {epssText + "CVE-2023-1111,1.5,0.2\n", "no probability"},
		"NaN":               {epssText + "CVE-2023-1111,NaN,0.2\n", "no probability"},
		"one field":         {epssText + "CVE-2023-1111\n", "a comma"},
		"a very long line":  {epssText + strings.Repeat("x", 1<<20), "after line 4"},
	} {
		if _, _, err := readEPSS(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, tt.says)
		}
	}
}

func TestListsThatAreNotThere(t *testing.T) {
	dir := write(t, fixture(t))
	status := func(db *DB) (kev, epss facts.Gap) {
		m := db.Missing()
		return m["vulnerabilities[].kev"].Status, m["vulnerabilities[].epss"].Status
	}
	t.Run("not configured", func(t *testing.T) {
		db := open(t, Options{Dir: dir})
		if kev, epss := status(db); kev != facts.NotAssessed || epss != facts.NotAssessed {
			t.Errorf("KEV %s, EPSS %s, want not_assessed", kev, epss)
		}
		if db.KEVConfigured() || db.EPSSConfigured() || len(db.Sources()) != 1 {
			t.Error("a list that nobody configured counts as configured")
		}
	})
	t.Run("broken", func(t *testing.T) {
		db := open(t, Options{Dir: dir, KEV: writeText(t, "{"), EPSS: filepath.Join(dir, "none")})
		if kev, epss := status(db); kev != facts.Unknown || epss != facts.Unknown {
			t.Errorf("KEV %s, EPSS %s, want unknown", kev, epss)
		}
		for _, s := range db.Sources()[1:] {
			if s.Problem == "" {
				t.Errorf("source %s has no problem", s.Name)
			}
		}
	})
	t.Run("in the folder of the database", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, kevFile), []byte(kevText), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, epssFile), []byte(zipped(epssText)), 0o644); err != nil {
			t.Fatal(err)
		}
		if db := open(t, Options{Dir: dir}); !db.KEVConfigured() || !db.EPSSConfigured() {
			t.Errorf("lists beside the database are not used: %v", db.Missing())
		}
	})
}

func FuzzReadKEV(f *testing.F) {
	f.Add([]byte(kevText))
	f.Add([]byte(`{"vulnerabilities":[{"cveID":"CVE-2021-44228"}]}`))
	f.Add([]byte(`{"count":-1,"vulnerabilities":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _, err := readKEV(bytes.NewReader(b))
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d entries with error %v", len(list), err)
		}
	})
}

func FuzzReadEPSS(f *testing.F) {
	f.Add([]byte(epssText))
	f.Add([]byte(zipped(epssText)))
	f.Add([]byte("#x\n#y\ncve,epss,percentile\nCVE-9999-99999999999999999999,0,0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _, err := readEPSS(bytes.NewReader(b))
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d entries with error %v", len(list), err)
		}
		for id, score := range list {
			if !(score >= 0 && score <= 1) {
				t.Errorf("%v has probability %v", id, score)
			}
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"Version":2,"NextUpdate":"2026-11-24T11:50:07Z","UpdatedAt":"2026-11-23T11:50:07Z","DownloadedAt":"0001-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"Version":2}`))
	f.Add([]byte(`{"Version":1e3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMetadata(b, schema); err == nil && m.Version != schema {
			t.Errorf("schema %d was taken", m.Version)
		}
	})
}
