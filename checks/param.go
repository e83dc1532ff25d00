package checks

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// The types of parameters.
const (
	TypeString  = "string"
	TypeInteger = "integer"
	TypeNumber  = "number"
	TypeBoolean = "boolean"
	TypeStrings = "strings" // a list of strings
)

// Param is a parameter of a policy. Names are global: checks that use the same
// name share the value, and must agree on type and default.
type Param struct {
	Name string
	Type string
	// Default is the value where none is given: string, int64, float64, bool or []string.
	Default     any
	Description string
}

// Value checks a given value against the type and returns it as the Go type of
// [Param.Default]. It takes what JSON and YAML decoders make of numbers and lists.
func (p Param) Value(given any) (any, error) {
	switch p.Type {
	case TypeString:
		if s, ok := given.(string); ok {
			return s, nil
		}
	case TypeBoolean:
		if b, ok := given.(bool); ok {
			return b, nil
		}
	case TypeInteger:
		if f, ok := number(given); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
	case TypeNumber:
		if f, ok := number(given); ok {
			return f, nil
		}
	case TypeStrings:
		switch list := given.(type) {
		case []string:
			return slices.Clone(list), nil
		case []any:
			if out, ok := allStrings(list); ok {
				return out, nil
			}
		}
	}
	return nil, fmt.Errorf("parameter %s: %v (%T) is not of type %s", p.Name, given, given, p.Type)
}

// number reads any Go number, and those that decoders leave as text.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	default:
		return 0, false
	}
}

func allStrings(list []any) ([]string, bool) {
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// sameMeaning is true where two declarations of one name agree.
func (p Param) sameMeaning(q Param) bool {
	if p.Type != q.Type {
		return false
	}
	if list, ok := p.Default.([]string); ok {
		other, ok := q.Default.([]string)
		return ok && slices.Equal(list, other)
	}
	return p.Default == q.Default
}
