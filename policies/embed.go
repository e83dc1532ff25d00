// Package policies holds the Rego that judges facts: one folder for each
// subject, one file for each check with its test beside it, and lib for what
// they share. There is nothing else here, so that the stock opa tool can test
// the folder as it stands. Package checks reads it.
package policies

import "embed"

// FS holds every policy, library and Rego test of this folder, as
// "<subject>/<name>.rego". The tests are in it so that an installed postscan can
// prove the policies that it carries.
//
//go:embed */*.rego
var FS embed.FS
