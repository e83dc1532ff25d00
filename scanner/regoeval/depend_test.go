package regoeval

import (
	"math/rand/v2"
	"reflect"
	"regexp"
	"testing"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
)

// words are the constants of the policies of a kind, so that documents made of
// them meet what the policies ask for.
func words(selected []*checks.Check) []string {
	out := []string{"", "app", "spec.containers[0]", "/run/docker.sock", "/dev/sda", "/etc/kubernetes"}
	for _, c := range selected {
		for _, m := range regexp.MustCompile(`"([^"\\%]{1,30})"`).FindAllStringSubmatch(c.Source, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// change gives one field below v another value, or a list another length.
func change(r *rand.Rand, v reflect.Value, words []string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{-1, 0, 80, 22, 34, 36, 999, 10001}[r.IntN(8)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 0.5, 9.8}[r.IntN(3)])
	case reflect.Struct:
		if f := v.Field(r.IntN(v.NumField())); f.CanSet() {
			change(r, f, words)
		}
	case reflect.Slice:
		switch n := v.Len(); {
		case n > 0 && r.IntN(4) > 0:
			v.Set(reflect.AppendSlice(reflect.Zero(v.Type()), v)) // what was handed out keeps its own
			change(r, v.Index(r.IntN(n)), words)
		case n > 0 && r.IntN(3) == 0:
			v.Set(v.Slice3(0, n-1, n-1))
		case n < 4:
			e := reflect.New(v.Type().Elem()).Elem()
			for range 8 {
				change(r, e, words)
			}
			v.Set(reflect.Append(v, e))
		}
	case reflect.Map:
		fresh := reflect.MakeMap(v.Type())
		e := reflect.New(v.Type().Elem()).Elem()
		change(r, e, words)
		fresh.SetMapIndex(reflect.ValueOf(words[r.IntN(len(words))]).Convert(v.Type().Key()), e)
		v.Set(fresh)
	}
}

// What is remembered under the parts that a policy looks at is what the policy
// says when it is asked: documents that differ step by step get the same
// outcomes from an evaluator that remembers by parts and from one that asks every time.
func TestRemembersByWhatPoliciesLookAt(t *testing.T) {
	for _, kind := range facts.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			p, selected := newPair(t, kind)
			if p == nil {
				return
			}
			all := words(selected)
			steps := 100
			if kind == facts.KindWorkload {
				steps = 500
			}
			r := rand.New(rand.NewPCG(1, 7))
			doc := facts.New(kind)
			for range 200 {
				change(r, reflect.ValueOf(doc).Elem(), all)
			}
			said := 0
			for step := 0; step < steps || said < steps && step < 40*steps; step++ { // some kinds seldom come to a denial
				change(r, reflect.ValueOf(doc).Elem(), all)
				said += p.same(t, doc, nil)
			}
			if said < steps {
				t.Errorf("%d denials in %d documents: they do not reach what the policies look for", said, steps)
			}
		})
	}
}

func sameViolations(a, b []scanner.Violation) bool { return reflect.DeepEqual(a, b) }
