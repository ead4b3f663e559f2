// Package docs holds the documents that the program itself shows.
package docs

import _ "embed"

//go:embed openapi.yaml
var openAPI string

//go:embed definitions.md
var definitions string

// Definitions returns the formula of every figure, as Markdown.
func Definitions() []byte { return []byte(definitions) }

// OpenAPI returns the OpenAPI 3.1 description of the HTTP interface, as YAML.
func OpenAPI() []byte { return []byte(openAPI) }
