// Package schema holds the JSON schema of every kind of facts document, as
// "<kind>.json". They are generated from the structs of package facts.
package schema

import "embed"

// FS holds the schemas.
//
//go:embed *.json
var FS embed.FS
