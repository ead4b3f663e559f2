package report

import (
	"strconv"

	"github.com/monev112/monev112/collector/monev/share"
)

// The indicators of the report, in its order.
const (
	Answer      = "answer"      // calls answered within the target of those that reached the queue
	Fire        = "fire"        // fires whose first unit arrived within 15 minutes
	Acknowledge = "acknowledge" // tickets that their OPD acknowledged in time
	Resolve     = "resolve"     // tickets resolved in time
	Hoax        = "hoax"        // prank and false calls of those classified; lower is better
)

var indicatorOrder = []string{Answer, Fire, Acknowledge, Resolve, Hoax}

// indicatorFigure is the name of the figures that indicators are kept as; their dims say which.
const indicatorFigure = "indicator"

func indicatorDims(indicator string) string { return "indicator=" + indicator }

// Verdict says whether an indicator reached its target.
type Verdict string

// The verdicts.
const (
	Achieved    Verdict = "achieved"
	NotAchieved Verdict = "not_achieved"
	NotRecorded Verdict = "not_recorded" // there were cases, and nothing to measure them by
	NoCase      Verdict = "no_case"      // nothing happened that it measures
	NoTarget    Verdict = "no_target"    // nothing to compare it with
)

// Indicator is one of the five numbers of the meeting.
type Indicator struct {
	ID        string   `json:"id"`
	Target    *float64 `json:"target"` // a share; nil: none
	Value     *float64 `json:"value"`
	Numerator float64  `json:"numerator"`
	N         float64  `json:"n"` // the denominator
	Low       *float64 `json:"low"`
	High      *float64 `json:"high"`
	Before    *float64 `json:"last_month"`
	Year      *float64 `json:"last_year"` // of the same month
	// Attained is the value as a share of the target, where lower is better the target as a share of the value.
	Attained *float64 `json:"attained"`
	Verdict  Verdict  `json:"verdict"`
	Limited  bool     `json:"limited"` // fewer than share.Few
}

// derive computes the figures that the report adds up from those of the month: indicators over all OPDs, and the
// definitions of hoax that others use.
func derive(figures []Figure) (out []Figure) {
	add := func(name, dims string, k, d float64, recorded bool) {
		f := Figure{Name: name, Dims: dims, Numerator: k, Denominator: d, N: uint64(d)}
		if d > 0 && recorded {
			v := k / d
			f.Value = &v
		}
		out = append(out, f)
	}
	sums := map[string][2]float64{}
	unrecorded := map[string][2]float64{} // cases that no share can hold, of all of them
	fires, arrived := 0.0, false
	class := map[string]float64{}
	received, answered := 0.0, 0.0
	for i := range figures {
		f := &figures[i]
		switch f.Name {
		case "service_level":
			if f.dim("measure") == "ketat" { // by the target of its month
				add(indicatorFigure, indicatorDims(Answer), f.Numerator, f.Denominator, f.Value != nil)
				if f.Value == nil {
					unrecorded[Answer] = [2]float64{f.Denominator, f.Denominator}
				}
			}
		case "arrived_within":
			add(indicatorFigure, indicatorDims(Fire), f.Numerator, f.Denominator, true)
			arrived = true
			unrecorded[Fire] = [2]float64{unrecorded[Fire][0] - f.Denominator, 0}
		case "tickets_category":
			if f.dim("category") == fireCategory {
				fires = f.Numerator
			}
		case "hoax":
			switch f.Dims {
			case "measure=rasio_hoaks":
				add(indicatorFigure, indicatorDims(Hoax), f.Numerator, f.Denominator, true)
			case "measure=belum":
				unrecorded[Hoax] = [2]float64{f.Numerator, f.Denominator}
			}
		case "on_time":
			if f.dim("scope") == "own" { // also of the centre itself, without an OPD
				plus(sums, f)
			}
		case "unobserved":
			if f.dim("scope") == "own" {
				plus(unrecorded, f)
			}
		case "calls_class":
			class[f.dim("class")] += f.Numerator
			received = f.Denominator
			if f.dim("class") != "tidak_terjawab" {
				answered += f.Numerator
			}
		}
	}
	for _, clock := range []string{Acknowledge, Resolve} {
		if s, ok := sums[clock]; ok {
			add(indicatorFigure, indicatorDims(clock), s[0], s[1], true)
		}
	}
	if fires > 0 && !arrived {
		add(indicatorFigure, indicatorDims(Fire), 0, 0, true)
	}
	unrecorded[Fire] = [2]float64{max(0, fires+unrecorded[Fire][0]), fires}
	for _, id := range indicatorOrder {
		if s := unrecorded[id]; s[1] > 0 {
			add(unrecordedFigure, indicatorDims(id), s[0], s[1], true)
		}
	}
	if received > 0 {
		hoax := class["prank"] + class["prank_palsu"]
		silent := hoax + class["ghost"] + class["pocket"]
		add(hoaxDefinition, "definition=received", hoax, received, true)
		add(hoaxDefinition, "definition=answered", hoax, answered, true)
		add(hoaxDefinition, "definition=with_silent", silent, received, true)
		add(hoaxDefinition, "definition=with_dropped", silent+class["putus"], received, true)
		add(hoaxDefinition, "definition=false_only", class["prank_palsu"], answered-class["belum"], true)
		add(informationFigure, "", class["informasi"], answered-class["belum"], true)
	}
	return out
}

// answerTarget is the target that calls were judged by, in seconds; 0 where the figures have none.
func answerTarget(figures []Figure) int {
	for i := range figures {
		if f := &figures[i]; f.Name == "service_level" && f.dim("measure") == "ketat" {
			seconds, _ := strconv.Atoi(f.dim("target"))
			return seconds
		}
	}
	return 0
}

// plus adds a figure of an OPD's clock to the sums by clock.
func plus(sums map[string][2]float64, f *Figure) {
	s := sums[f.dim("clock")]
	sums[f.dim("clock")] = [2]float64{s[0] + f.Numerator, s[1] + f.Denominator}
}

const (
	// unrecordedFigure has for each indicator the cases that nothing is recorded of, of all of them.
	unrecordedFigure  = "unrecorded"
	fireCategory      = "kebakaran"
	hoaxDefinition    = "hoax_definition"
	informationFigure = "information"
)

// indicators judges the month.
func (r *Report) indicators() (out []Indicator) {
	month := r.first()
	before, year := month.AddDate(0, -1, 0).Format(monthLayout), month.AddDate(-1, 0, 0).Format(monthLayout)
	value := func(month, id string) *float64 {
		if f := r.trend(month, id); f != nil {
			return f.Value
		}
		return nil
	}
	for _, id := range indicatorOrder {
		i := Indicator{ID: id, Before: value(before, id), Year: value(year, id), Target: r.Settings.Targets.of(id)}
		if id == Hoax && i.Target == nil {
			i.Target = i.Year
		}
		if f := r.figure(indicatorFigure, indicatorDims(id)); f != nil {
			i.Value, i.Numerator, i.N = f.Value, f.Numerator, f.Denominator
		}
		u := r.figure(unrecordedFigure, indicatorDims(id))
		i.judge(u != nil && u.Numerator > 0)
		out = append(out, i)
	}
	return out
}

// judge fills in the verdict and what follows from it; unrecorded says that there are cases of which nothing is
// recorded.
func (i *Indicator) judge(unrecorded bool) {
	switch {
	case i.Value == nil && unrecorded:
		i.Verdict = NotRecorded
		return
	case i.Value == nil:
		i.Verdict = NoCase
		return
	case i.Target == nil:
		i.Verdict = NoTarget
	case i.ID == Hoax && (*i.Value < *i.Target || *i.Value == 0), i.ID != Hoax && *i.Value >= *i.Target:
		i.Verdict = Achieved
	default:
		i.Verdict = NotAchieved
	}
	low, high := wilson(i.Numerator, i.N)
	i.Low, i.High, i.Limited = &low, &high, i.N < share.Few
	if i.Target == nil {
		return
	}
	attained := *i.Value
	switch {
	case i.ID != Hoax && *i.Target > 0:
		attained = *i.Value / *i.Target
	case i.ID == Hoax && *i.Value > 0:
		attained = *i.Target / *i.Value
	default:
		return
	}
	i.Attained = &attained
}

// Name says what is measured.
func (i *Indicator) Name() string { return indicatorNames[i.ID] }

// Words says the verdict.
func (i *Indicator) Words() string {
	if i.Limited && i.Value != nil {
		return verdictWords[i.Verdict] + ", data terbatas"
	}
	return verdictWords[i.Verdict]
}
