package rtl

import "github.com/monev112/monev112/collector/event/form"

// The forms, as the door checks them: see package form.
type (
	FormData     = form.Data
	Staff        = form.Staff
	StaffRow     = form.StaffRow
	Budget       = form.Budget
	BudgetRow    = form.BudgetRow
	Survey       = form.Survey
	Satisfaction = form.Satisfaction
)

// Elements are the nine elements of the survey, U1 first.
var Elements = form.Elements

// ParseForm reads the data of a form as a ledger has it.
func ParseForm(name, data string) (FormData, error) { return form.Parse(name, data) }

// Quality is the class of an IKM; see form.Quality.
func Quality(ikm float64) (class, words string) { return form.Quality(ikm) }
