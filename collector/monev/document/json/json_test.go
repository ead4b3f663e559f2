package json

import (
	"bytes"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/documenttest"
)

func written(t *testing.T, d *document.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNumbersAreReadBack(t *testing.T) {
	for _, d := range []*document.Document{documenttest.Monthly(12), documenttest.Monthly(60), documenttest.Nasty()} {
		found, err := Read(written(t, d))
		documenttest.Check(t, d, true, found, err)
	}
}

// TestAChangedNumberIsFound: value or words, either is found.
func TestAChangedNumberIsFound(t *testing.T) {
	d := documenttest.Monthly(3)
	file := string(written(t, d))
	for was, is := range map[string]string{
		`"value": 0.80712`: `"value": 0.80713`, `"text": "80,7 %"`: `"text": "80,8 %"`, `"value": 4295`: `"value": 4296`,
		`"text": "tidak tercatat"`: `"text": "0", "value": 0`,
	} {
		was, is = strings.ReplaceAll(was, " %", "\u00a0%"), strings.ReplaceAll(is, " %", "\u00a0%")
		changed := strings.Replace(file, was, is, 1)
		if changed == file {
			t.Fatalf("no %s in the file", was)
		}
		found, err := Read([]byte(changed))
		if _, differences := document.Compare(d.Numbers(true), found); err != nil || len(differences) != 1 {
			t.Errorf("%s: %v, %v", is, differences, err)
		}
	}
}

func TestTheSameBytesAgain(t *testing.T) {
	if !bytes.Equal(written(t, documenttest.Monthly(5)), written(t, documenttest.Monthly(5))) {
		t.Error("two files of one document")
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	if _, err := Read([]byte("<html>")); err == nil || !strings.Contains(err.Error(), "JSON: ") {
		t.Error(err)
	}
}
