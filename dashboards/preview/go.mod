// The preview is no part of the Go build: this file keeps `go build ./...` out of node_modules.
module github.com/monev112/monev112/dashboards/preview

go 1.26.0
