package checks_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/postscan/postscan/checks"
)

func resolve(t *testing.T, yaml string) (*checks.Resolved, error) {
	t.Helper()
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	p, err := checks.ReadProfile(strings.NewReader(yaml), "profile.yaml")
	if err != nil {
		return nil, err
	}
	return p.Resolve(cat)
}

func TestProfile(t *testing.T) {
	got, err := resolve(t, `
checks:
  include: [PS-IMG-*, "framework:nist-800-190"]
  exclude:
    - ps-img-021
severities:
  ps-img-001: HIGH
  PS-IMG-013: {unknown: medium, low: info}
params:
  max_image_age_days: 30
  allowed_registries: [registry.example]
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &checks.Resolved{
		Include: []string{"PS-IMG-*", "framework:nist-800-190"}, Exclude: []string{"ps-img-021"},
		Severities: map[string]checks.Levels{"PS-IMG-001": {"medium": "high"}, "PS-IMG-013": {"unknown": "medium", "low": "info"}},
		Params:     map[string]any{"max_image_age_days": 30.0, "allowed_registries": []string{"registry.example"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	if l := got.Severities["PS-IMG-013"]; l.Of("low") != "info" || l.Of("critical") != "critical" {
		t.Errorf("levels %v", l)
	}
	for _, empty := range []string{"", "# nothing\n", "{}"} {
		if got, err := resolve(t, empty); err != nil || len(got.Include)+len(got.Severities)+len(got.Params) > 0 {
			t.Errorf("%q: %v, %v", empty, got, err)
		}
	}
}

func TestProfileRefuses(t *testing.T) {
	for yaml, want := range map[string]string{
		"\nchecks:\n  including: [PS-IMG-001]":                      `profile.yaml:3: there is no field "including"`,
		"check: {}":                                                 `profile.yaml:1: there is no field "check"`,
		"checks:\n  include: PS-IMG-001":                            "profile.yaml:2: a list is expected",
		"checks:\n  include: [[a]]":                                 "profile.yaml:2: a list of plain values",
		"checks:\n  exclude:\n    - PS-IMG-001\n    - PS-NO-*":      `profile.yaml:4: no check matches "PS-NO-*"`,
		"checks:\n  include: [planet:mars]":                         "profile.yaml:2: check pattern",
		"severities:\n  PS-IMG-999: high":                           `profile.yaml:2: there is no check "PS-IMG-999"`,
		"severities:\n\n  PS-IMG-001: awful":                        `profile.yaml:3: severity "awful"`,
		"severities:\n  PS-IMG-001: {critical: low}":                "profile.yaml:2: PS-IMG-001 is never critical",
		"severities:\n  PS-IMG-001: [high]":                         "profile.yaml:2: a mapping is expected",
		"severities:\n  PS-IMG-001: {medium: {}}":                   "profile.yaml:2: a severity is expected",
		"params:\n  nonsense: 1":                                    `profile.yaml:2: no check takes a parameter "nonsense"`,
		"params:\n  max_image_age_days: soon":                       "profile.yaml:2: parameter max_image_age_days: soon (string) is not of type number",
		"params:\n  allowed_registries: docker.io":                  "profile.yaml:2: parameter allowed_registries",
		"params:\n  allowed_registries: [1]":                        "profile.yaml:2: parameter allowed_registries",
		"params:\n  max_image_age_days: 1\n  max_image_age_days: 2": "max_image_age_days",
		"- PS-IMG-001":                                              "profile.yaml:1: a mapping is expected",
		"checks: {}\n---\nseverities: {PS-IMG-001: low}":            "read the profile profile.yaml: something follows",
		"checks: [": "read the profile profile.yaml",
	} {
		if _, err := resolve(t, yaml); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want one with %q", yaml, err, want)
		}
	}
}

func FuzzReadProfile(f *testing.F) {
	f.Add("checks: {include: [PS-IMG-001]}\nseverities: {PS-IMG-001: high}\nparams: {a: [b]}\n")
	f.Add("severities: {x: &a {y: *a}}")
	f.Fuzz(func(t *testing.T, yaml string) {
		p, err := checks.ReadProfile(strings.NewReader(yaml), "f")
		if err == nil && p == nil {
			t.Error("neither a profile nor an error")
		}
	})
}
