package facts

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// absentFields lists the paths of the struct behind doc that the JSON document
// raw does not hold. It looks at list elements one by one and reports an absent
// field of any of them as "list[].field".
func absentFields(raw json.RawMessage, doc any) ([]string, error) {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	var out []string
	walkAbsent(reflect.TypeOf(doc), tree, "", &out)
	slices.Sort(out)
	return slices.Compact(out), nil
}

func walkAbsent(t reflect.Type, v any, path string, out *[]string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			sub := name
			if path != "" {
				sub = path + "." + name
			}
			child, ok := m[name]
			if !ok {
				*out = append(*out, sub)
				continue
			}
			walkAbsent(f.Type, child, sub, out)
		}
	case reflect.Slice:
		list, _ := v.([]any)
		for _, e := range list {
			walkAbsent(t.Elem(), e, path+"[]", out)
		}
	default: // leaves and maps have no fields of their own
	}
}
