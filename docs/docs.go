// Package docs holds the documents that the program itself shows.
package docs

import _ "embed"

//go:embed openapi.yaml
var openAPI string

// OpenAPI returns the OpenAPI 3.1 description of the HTTP interface, as YAML.
func OpenAPI() []byte { return []byte(openAPI) }
