// Package fill puts values in the place of variables and macros, as Grafana and its ClickHouse plugin do, so that the
// queries of the dashboards can run without a Grafana server. It knows only what the dashboards use and refuses the
// rest.
package fill

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Selection is what a reader chose: the range and, for each variable, its values. The value ".*" is All.
type Selection struct {
	From, To time.Time
	Values   map[string][]string
}

// variable finds $name, ${name} and ${name:format}; macros begin with two underscores and are none.
var variable = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}|\$([A-Za-z]\w*)`)

// unfilled finds what looks like a macro or variable; a dollar sign that ends a regular expression does not.
var unfilled = regexp.MustCompile(`\$(\{|\w)\w*`)

// Names returns the variables that a text uses, sorted, each once.
func Names(text string) []string {
	var out []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		name := m[1] + m[3]
		if !strings.HasPrefix(name, "__") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// SQL returns the statement that the plugin would send for rawSql. An error names what is left unfilled.
func (s Selection) SQL(rawSQL string) (string, error) {
	text, err := s.variables(rawSQL)
	if err != nil {
		return "", err
	}
	text = strings.ReplaceAll(text, "$__fromTime", fmt.Sprintf("toDateTime(%d)", s.From.Unix()))
	text = strings.ReplaceAll(text, "$__toTime", fmt.Sprintf("toDateTime(%d)", s.To.Unix()))
	return text, left(text)
}

// PromQL returns the expression that Grafana would send for expr.
func (s Selection) PromQL(expr string) (string, error) {
	text, err := s.variables(strings.ReplaceAll(expr, "$__rate_interval", "1m"))
	if err != nil {
		return "", err
	}
	return text, left(text)
}

func left(text string) error {
	if m := unfilled.FindString(text); m != "" {
		return fmt.Errorf("%q is no macro that is used here", m)
	}
	return nil
}

func (s Selection) variables(text string) (string, error) {
	var problem error
	out := variable.ReplaceAllStringFunc(text, func(match string) string {
		m := variable.FindStringSubmatch(match)
		name, format := m[1]+m[3], m[2]
		values, ok := s.Values[name]
		switch {
		case !ok:
			problem = fmt.Errorf("the variable %s has no value", name)
			return match
		case len(values) == 1 && values[0] == ".*": // the value of All is put in as it is
			return values[0]
		case format == "regex":
			quoted := make([]string, len(values))
			for i, v := range values {
				quoted[i] = escape(v)
			}
			if len(quoted) == 1 {
				return quoted[0]
			}
			return "(" + strings.Join(quoted, "|") + ")"
		case format == "" && len(values) == 1:
			return values[0]
		}
		problem = fmt.Errorf("%s: this package does not know the format of %d values", match, len(values))
		return match
	})
	return out, problem
}

// escape does what Grafana's escapeRegex does.
func escape(s string) string {
	return regexp.MustCompile(`[\\^$*+?.()|\[\]{}/]`).ReplaceAllString(s, `\$0`)
}
