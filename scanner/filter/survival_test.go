package filter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postscan/postscan/checks"
	"github.com/postscan/postscan/scanner"
	"github.com/postscan/postscan/scanner/facts"
	"github.com/postscan/postscan/scanner/filter"
	"github.com/postscan/postscan/scanner/regoeval"
)

// one is a collector of one resource.
type one struct{ resource *facts.Resource }

func (c one) Collect(ctx context.Context, sink scanner.Sink) error {
	if err := sink.Target(facts.Target{Kind: string(c.resource.Kind), Ref: c.resource.Target, Identity: "the same"}); err != nil {
		return err
	}
	return sink.Resource(ctx, c.resource)
}

// fill gives every field of a document a value, lists and maps two of them.
func fill(d draws, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 8 && d.upTo(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(d, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(d, v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		if depth < 8 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(d, v.Index(0), depth+1)
			fill(d, v.Index(1), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(d, key, depth+1)
			fill(d, value, depth+1)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(pick(d, fmt.Sprintf("text%d", d.upTo(1000)), fmt.Sprintf("/etc/file%d", d.upTo(1000)), "root", "", "docker.io/library/app:1", "0.0.0.0", "yes", "SYS_ADMIN", "2020-01-01T00:00:00Z"))
	case reflect.Bool:
		v.SetBool(d.upTo(2) == 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(d.upTo(200)))
	case reflect.Float64:
		v.SetFloat(float64(d.upTo(10)))
	default:
	}
}

// shuffle changes what says nothing: every list is in another order, and every
// line is another one.
func shuffle(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			shuffle(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				shuffle(v.Field(i), f.Name)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			shuffle(v.Index(i), "")
		}
		swap := reflect.Swapper(v.Interface())
		for i, j := 0, v.Len()-1; i < j; i, j = i+1, j-1 {
			swap(i, j)
		}
	case reflect.Int:
		if strings.HasSuffix(name, "Line") {
			v.SetInt(v.Int() + 100)
		}
	default:
	}
}

// ordered are kinds in which a list's order says something: an image's layers and
// history are counted from the bottom.
func ordered() []facts.Kind { return []facts.Kind{facts.KindImage} }

// compared is how many checks must have found something, so that the test looks at
// enough: kinds of each target that postscan scans.
func compared() map[facts.Kind]int {
	return map[facts.Kind]int{facts.KindWorkload: 20, facts.KindCluster: 10, facts.KindNode: 5, facts.KindVM: 5, facts.KindEngine: 3, facts.KindContainer: 3}
}

// What a kind of resource looks like may be listed in another order by the next
// scan, or stand in other lines, and postscan may be another version: every
// finding stays the one that it was, whatever check found it.
func TestFingerprintsSurviveAnotherOrder(t *testing.T) {
	cat, err := checks.Load(checks.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	eval, err := regoeval.New(t.Context(), cat, cat.All(), regoeval.Options{Now: at})
	if err != nil {
		t.Fatal(err)
	}
	judge := func(kind facts.Kind, seed uint64, version string, change func(*facts.Resource)) *scanner.Report {
		t.Helper()
		doc := facts.New(kind)
		fill(draws{rand.New(rand.NewPCG(seed, 11))}, reflect.ValueOf(doc).Elem(), 0)
		r := &facts.Resource{Kind: kind, ID: "it", Target: "t", Facts: doc, Origin: facts.Origin{File: "a.yaml", Line: 3}}
		change(r)
		r.Normalise()
		rep, err := scanner.Scan(t.Context(), one{r}, eval, scanner.Options{Now: func() time.Time { return at }, Collected: at, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	for _, kind := range facts.Kinds() {
		if slices.Contains(ordered(), kind) {
			continue
		}
		seen := map[string]bool{}
		for seed := range uint64(6) {
			before := judge(kind, seed, "v1.0.0", func(*facts.Resource) {})
			after := judge(kind, seed, "v2.0.0", func(r *facts.Resource) {
				shuffle(reflect.ValueOf(r.Facts), "")
				r.Origin.Line += 100
			})
			if err := (filter.Baseline{Before: before}).Apply(after); err != nil {
				t.Fatal(err)
			}
			for i := range before.Findings {
				seen[before.Findings[i].Rule.ID] = true
			}
			for i := range after.Findings {
				if f := &after.Findings[i]; f.Baseline != scanner.BaselineUnchanged {
					t.Errorf("%s, seed %d: %s is new: key %q, %s", kind, seed, f.Rule.ID, f.Key, f.Message)
				}
			}
			for _, g := range after.Baseline.Gone {
				t.Errorf("%s, seed %d: %s is gone: key %q, %s", kind, seed, g.Check, g.Key, g.Message)
			}
		}
		if least := compared()[kind]; len(seen) < least {
			t.Errorf("%s: findings of only %d checks were compared, want %d", kind, len(seen), least)
		}
	}
}
