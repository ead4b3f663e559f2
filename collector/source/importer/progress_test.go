package importer

import (
	"bytes"
	"testing"
)

// Whoever shows progress ends, on a terminal and elsewhere, and leaves nothing that goes on writing.
func TestProgressEnds(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var out bytes.Buffer
		showProgress(&out, terminal, func() progress { return progress{rows: 1} })()
	}
	showProgress(nil, true, nil)()
}
