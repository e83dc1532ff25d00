package facts

import "reflect"

// FillLists replaces every nil list and map below the resource by an empty one,
// so that policies see the same document at the scan and at its replay.
func (r *Resource) FillLists() { fillLists(reflect.ValueOf(r)) }

// fillLists replaces every nil list and map of a facts document by an empty
// one, so that the file holds [] and {} where the schema promises a list or an
// object, never null.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fillLists(v.Elem())
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			fillLists(f)
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		if mayHoldLists(v.Type().Elem().Kind()) {
			for i := range v.Len() {
				fillLists(v.Index(i))
			}
		}
	case reflect.Map:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	default: // leaves
	}
}

// mayHoldLists spares a walk over a million strings.
func mayHoldLists(k reflect.Kind) bool {
	return k == reflect.Struct || k == reflect.Pointer || k == reflect.Interface || k == reflect.Slice || k == reflect.Map
}
