package facts

import (
	"embed"
	"fmt"
)

//go:embed schema/*.json
var schemas embed.FS

// JSONSchema returns the JSON schema of the facts document of a kind, generated
// from its struct. Policies are type-checked against it.
func JSONSchema(k Kind) ([]byte, error) {
	b, err := schemas.ReadFile("schema/" + string(k) + ".json")
	if err != nil {
		return nil, fmt.Errorf("no JSON schema for facts of kind %q: %w", k, err)
	}
	return b, nil
}
