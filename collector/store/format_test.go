package store

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

func newOf(t reflect.Type) any { return reflect.New(t).Interface() }

// join writes scanned values the way tests compare them: NULL as -, floats with up to four decimals, times in UTC.
func join(dest []any) string {
	parts := make([]string, len(dest))
	for i, d := range dest {
		v := reflect.ValueOf(d).Elem()
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		switch x := v.Interface().(type) {
		case time.Time:
			parts[i] = strings.TrimSuffix(x.UTC().Format("2006-01-02T15:04:05.999"), "T00:00:00")
		case float64:
			parts[i] = strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", x), "0"), ".")
		default:
			if v.Kind() == reflect.Pointer {
				parts[i] = "-"
			} else {
				parts[i] = fmt.Sprint(x)
			}
		}
	}
	return strings.Join(parts, " ")
}
