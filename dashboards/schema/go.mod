// The generator is no part of the Go build: this file keeps `go build ./...` out of node_modules.
module github.com/monev112/monev112/dashboards/schema

go 1.26.0
