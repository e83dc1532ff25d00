package checks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Violation is one object of a policy's deny.
type Violation struct {
	Message  string
	Path     string // where in the source
	Value    ast.Value
	Key      string // empty where the policy states none
	Severity string // stated, or the check's own
}

// Violation reads an object of the check's deny. Whatever is not as the contract
// says is an error: no field may be missing, misspelt or of another type, and the
// severity is one that the METADATA names.
func (c *Check) Violation(v ast.Value) (Violation, error) {
	out := Violation{}
	object, ok := v.(ast.Object)
	if !ok {
		return out, fmt.Errorf("deny holds %s, which is no object", Short(v))
	}
	err := object.Iter(func(k, v *ast.Term) error {
		name, _ := k.Value.(ast.String)
		switch name {
		case "message":
			return text(name, v.Value, &out.Message)
		case "path":
			return text(name, v.Value, &out.Path)
		case "key":
			return text(name, v.Value, &out.Key)
		case "severity":
			return text(name, v.Value, &out.Severity)
		case "value":
			out.Value = v.Value
			return nil
		default:
			return fmt.Errorf("has the unknown field %s", Short(k.Value))
		}
	})
	switch {
	case err != nil:
	case out.Message == "":
		err = errors.New("has no message")
	case out.Path == "":
		err = errors.New("has no path")
	case out.Value == nil:
		err = errors.New("has no value")
	case out.Severity == "" && len(c.Severities) > 0:
		err = errors.New("has no severity, and the METADATA lists several")
	case out.Severity == "":
		out.Severity = c.Severity
	case out.Severity != c.Severity && !slices.Contains(c.Severities, out.Severity):
		err = fmt.Errorf("has severity %q, which the METADATA does not name", out.Severity)
	}
	if err != nil {
		return out, fmt.Errorf("deny holds %s: it %w", Short(v), err)
	}
	return out, nil
}

func text(name ast.String, v ast.Value, into *string) error {
	s, ok := v.(ast.String)
	if !ok || strings.TrimSpace(string(s)) == "" {
		return fmt.Errorf("has a %s that is no text", string(name))
	}
	*into = string(s)
	return nil
}

// Short shows a value in an error.
func Short(v ast.Value) string {
	s := []rune(v.String())
	if len(s) > 200 {
		return string(s[:200]) + "…"
	}
	return string(s)
}
