package simulate

import (
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

// wib is Western Indonesian Time. A fixed zone needs no time zone database and has no daylight saving, like Sidoarjo.
func wib() *time.Location { return time.FixedZone("WIB", 7*3600) }

const (
	second = int64(1000) // instants and durations inside the package are milliseconds, instants since 1970 UTC
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	wibOffset = 7 * hour
)

// hourOfDay is the hour of the day in WIB.
func hourOfDay(at int64) int { return int((at + wibOffset) % day / hour) }

// dayNumber counts days in WIB since 1970-01-01.
func dayNumber(at int64) int64 { return (at + wibOffset) / day }

// weekday is the day of the week in WIB.
func weekday(dayNumber int64) time.Weekday { return time.Weekday((dayNumber + 4) % 7) } // 1970-01-01 was a Thursday

// Scopes of an OPD: under the regency's own power, or a vertical agency.
const (
	scopeOwn      = "own"
	scopeVertical = "vertical"
)

// world is world.yaml, which says what each figure is.
type world struct {
	Kecamatan    []kecamatan       `yaml:"kecamatan"`
	Tempos       map[string]tempo  `yaml:"tempos"`
	Own          []work            `yaml:"own"`
	Vertical     []work            `yaml:"vertical"`
	PauseReasons []string          `yaml:"pause_reasons"`
	Hours        [24]int64         `yaml:"hours"`
	Weekdays     [7]int64          `yaml:"weekdays"`
	Months       [12]int64         `yaml:"months"`
	Talk         map[string]spread `yaml:"talk"`
	LiveShares   []share           `yaml:"live_shares"`
	Planted      []plant           `yaml:"planted"`
	// Recommendations and what came of them, and what callers ask.
	Recommendations []recommendation `yaml:"recommendations"`
	Questions       []question       `yaml:"questions"`
}

// question is a topic that callers ask about without a ticket; what comes of it in per mille.
type question struct {
	Topic    string `yaml:"topic"`
	Weight   int64  `yaml:"weight"`
	Answered int    `yaml:"answered"`
	Referred int    `yaml:"referred"`
	Unknown  int    `yaml:"unknown"`
	OPD      string `yaml:"opd"` // to whom it is referred
}

// kecamatan is a district.
type kecamatan struct {
	Code   string `yaml:"code"`
	People int64  `yaml:"people"`
	Lat    int64  `yaml:"lat"`
	Lon    int64  `yaml:"lon"`
}

// tempo is how fast a kind of work goes.
type tempo struct {
	Acknowledge      spread `yaml:"acknowledge"`
	Turnout          spread `yaml:"turnout"`
	Travel           spread `yaml:"travel"`
	Work             spread `yaml:"work"`
	Confirm          spread `yaml:"confirm"`
	Closing          spread `yaml:"closing"`
	Field            bool   `yaml:"field"`
	Office           bool   `yaml:"office"`
	AcknowledgeShare int    `yaml:"acknowledge_share"`
	ConfirmShare     int    `yaml:"confirm_share"`
}

// work is a kind of ticket.
type work struct {
	Category    string `yaml:"category"`
	OPD         string `yaml:"opd"`
	Priority    string `yaml:"priority"`
	Tempo       string `yaml:"tempo"`
	N2023       int64  `yaml:"n_2023"`
	MistakenFor string `yaml:"mistaken_for"`
	DueMinutes  int64  `yaml:"due_minutes"`
}

// share is how many calls of a busy floor are of a class.
type share struct {
	Class    string `yaml:"class"`
	Permille int64  `yaml:"permille"`
}

//go:embed world.yaml
var worldYAML []byte

// figures is the world, read once; nobody changes it.
var figures = sync.OnceValue(func() *world {
	var w world
	if err := yaml.UnmarshalWithOptions(worldYAML, &w, yaml.Strict()); err != nil {
		panic(fmt.Errorf("simulate: world.yaml: %w", err)) // part of the program
	}
	return &w
})

// workingMoment is the first moment from at on in which offices work: Monday to Thursday 07:30 to 16:00, Friday to
// 16:30, WIB. It knows no holidays: a simulated office does not need them.
func workingMoment(at int64) int64 {
	for {
		d := dayNumber(at)
		start := d*day - wibOffset
		closes := start + 16*hour
		switch weekday(d) {
		case time.Saturday, time.Sunday:
			at = start + day
			continue
		case time.Friday:
			closes += 30 * minute
		}
		if opens := start + 7*hour + 30*minute; at < opens {
			return opens
		}
		if at < closes {
			return at
		}
		at = start + day
	}
}

// talk is how long calls of a class last.
func talk(class string) spread {
	if d, ok := figures().Talk[class]; ok {
		return d
	}
	return figures().Talk[""]
}
