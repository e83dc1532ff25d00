package facts

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// Normalise makes the resource what the schema promises: a nil list or map
// becomes an empty one, never null, and text that is no UTF-8 (a file name may
// be any bytes) gets U+FFFD for each broken part. So facts in memory, facts read
// back from a file and a report read back from a file are the same.
func (r *Resource) Normalise() { normalise(reflect.ValueOf(r)) }

func normalise(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			normalise(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() { // Fields describes each field, which takes more time than the rest
			normalise(v.Field(i))
		}
	case reflect.String:
		if v.CanSet() && !utf8.ValidString(v.String()) {
			v.SetString(strings.ToValidUTF8(v.String(), "\uFFFD"))
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			normalise(v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	default: // numbers and booleans are what they are
	}
}
