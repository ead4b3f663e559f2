// Package noleaks fails a test binary whose tests leave goroutines behind. It is for tests alone.
package noleaks

import (
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines that are ending may take: goleak alone gives them less than a loaded machine needs.
const patience = time.Minute

type waiting struct{ goleak.TestingM }

func (w waiting) Run() int {
	code := w.TestingM.Run()
	for end := time.Now().Add(patience); time.Now().Before(end) && goleak.Find() != nil; {
		time.Sleep(10 * time.Millisecond)
	}
	return code
}

// Main is goleak.VerifyTestMain, with patience.
func Main(m goleak.TestingM) { goleak.VerifyTestMain(waiting{m}) }
