// Package policies holds the shipped Rego policies, their library, the input
// schema, the builtins they may use and the generated default parameters, as
// files built into the binary. It never loads, compiles or evaluates them.
package policies

import "embed"

// FS holds lib, retention, compat and schemas (tests included), capabilities.json and
// data.json under the paths that they have in this folder.
//
//go:embed lib retention compat schemas capabilities.json data.json
var FS embed.FS
