// Package rapidseed has the properties of a test package draw the same cases in every run: what fails on one machine
// fails on each, and a change is not refused for a case that another run happens to draw. Every test package that uses
// rapid imports it for this effect alone. RAPID_SEED or -rapid.seed is another seed, 0 a new one each time, which
// `make properties` takes.
package rapidseed

import (
	"flag"
	"os"

	_ "pgregory.net/rapid" // it defines the flag
)

func init() {
	if _, chosen := os.LookupEnv("RAPID_SEED"); chosen {
		return
	}
	if err := flag.Set("rapid.seed", "112"); err != nil {
		panic(err)
	}
}
