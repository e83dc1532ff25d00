package regoeval

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/postscan/postscan/scanner/facts"
)

// fill puts something into every field; lists have up to two elements.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "a", "ä\"<\n", "longer text"}[r.IntN(4)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{-1, 0, 7, 1 << 40}[r.IntN(4)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 0.25, 9.8, 1e-7}[r.IntN(4)])
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(r, f)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 2))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(r, e)
		v.SetMapIndex(reflect.ValueOf("k"), e)
	default:
		panic("fill does not know " + v.Type().String())
	}
}

// everything makes an encoder of all fields.
func everything(t *testing.T, kind facts.Kind) *encoder {
	t.Helper()
	typ := reflect.TypeOf(facts.New(kind))
	var all []string
	for f := range typ.Elem().Fields() {
		all = append(all, f.Tag.Get("json"))
	}
	e, err := newEncoder(typ, all)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func viaJSON(t *testing.T, doc any) ast.Value {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var x any
	if err := util.UnmarshalJSON(b, &x); err != nil {
		t.Fatal(err)
	}
	v, err := ast.InterfaceToValue(x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What policies see is what the facts file holds, for every kind of facts.
func TestEncodesAsJSON(t *testing.T) {
	for _, kind := range facts.Kinds() {
		e := everything(t, kind)
		for seed := range uint64(20) {
			doc := facts.New(kind)
			fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(doc).Elem())
			got, want := e.value(reflect.ValueOf(doc)), viaJSON(t, doc)
			if got.Compare(want) != 0 {
				t.Fatalf("%s, seed %d:\n%v\nwant\n%v", kind, seed, got, want)
			}
		}
	}
}

func TestEncodesNoNull(t *testing.T) {
	for _, kind := range facts.Kinds() {
		if got := everything(t, kind).value(reflect.ValueOf(facts.New(kind))).String(); bytes.Contains([]byte(got), []byte("null")) {
			t.Errorf("%s: an empty document holds a null: %s", kind, got)
		}
	}
}

// hashed is the digest of all that the encoder hands to policies.
func hashed(e *encoder, seeds [2]maphash.Seed, doc any) digest {
	d := newDigester(seeds)
	e.plan.hash(&d, reflect.ValueOf(doc).Elem())
	return d.sum()
}

// The hash changes with every field that is needed, and with no other.
func TestHash(t *testing.T) {
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	for _, kind := range facts.Kinds() {
		e := everything(t, kind)
		seen := map[digest]string{}
		for seed := range uint64(100) {
			doc := facts.New(kind)
			fill(rand.New(rand.NewPCG(seed, 2)), reflect.ValueOf(doc).Elem())
			text := e.value(reflect.ValueOf(doc)).String()
			h := hashed(e, seeds, doc)
			if other, ok := seen[h]; ok && other != text {
				t.Fatalf("%s: two documents have one hash:\n%s\n%s", kind, other, text)
			}
			seen[h] = text
			if again := hashed(e, seeds, doc); again != h {
				t.Fatalf("%s: one document has two hashes", kind)
			}
		}
	}
	e, err := newEncoder(reflect.TypeFor[*facts.Image](), []string{"config.user", "tools[].name"})
	if err != nil {
		t.Fatal(err)
	}
	base := facts.Image{OS: "linux", Config: facts.ImageConfig{User: "a", WorkingDir: "/"}}
	hash := func(change func(*facts.Image)) digest {
		im := base
		change(&im)
		return hashed(e, seeds, &im)
	}
	same := hash(func(*facts.Image) {})
	if hash(func(im *facts.Image) { im.OS, im.Config.WorkingDir = "windows", "/x" }) != same {
		t.Error("a field that nobody needs changes the hash")
	}
	if hash(func(im *facts.Image) { im.Tools = []facts.Tool{} }) != same {
		t.Error("nil and empty lists differ")
	}
	for name, change := range map[string]func(*facts.Image){
		"needed field": func(im *facts.Image) { im.Config.User = "b" },
		"list":         func(im *facts.Image) { im.Tools = []facts.Tool{{}} },
		"in the list":  func(im *facts.Image) { im.Tools = []facts.Tool{{Path: "/x"}} },
	} {
		if hash(change) == same {
			t.Errorf("%s: the hash stays", name)
		}
	}
}

func TestEncodesOnlyNeeds(t *testing.T) {
	for name, tt := range map[string]struct {
		needs []string
		want  string
	}{
		"leaf":            {[]string{"config.user"}, `{"config": {"user": "u"}}`},
		"leaf and parent": {[]string{"base.tag", "base"}, `{"base": {"digest": "", "name": "n", "tag": ""}}`},
		"parent and leaf": {[]string{"base", "base.tag"}, `{"base": {"digest": "", "name": "n", "tag": ""}}`},
		"of a list":       {[]string{"groups[].gid"}, `{"groups": [{"gid": 3, "name": "g"}]}`},
		"nothing":         {nil, `{}`},
	} {
		e, err := newEncoder(reflect.TypeFor[*facts.Image](), tt.needs)
		if err != nil {
			t.Fatal(err)
		}
		im := facts.Image{Config: facts.ImageConfig{User: "u"}, Base: facts.BaseImage{Name: "n"}, Groups: []facts.Group{{Name: "g", GID: 3}}}
		if got := e.value(reflect.ValueOf(&im)).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	for name, typ := range map[string]reflect.Type{
		"no pointer": reflect.TypeFor[facts.Image](),
		"pointer within": reflect.TypeFor[*struct {
			P *int `json:"p"`
		}](),
		"bytes": reflect.TypeFor[*struct {
			B []byte `json:"p"`
		}](),
	} {
		if _, err := newEncoder(typ, []string{"p"}); err == nil {
			t.Errorf("%s: planned without an error", name)
		}
	}
}
