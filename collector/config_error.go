package collector

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// explain turns an error of the YAML reader into one sentence with file, line and what would be right.
func explain(name string, err error) error {
	var (
		at      yaml.Error
		unknown *yaml.UnknownFieldError
		typed   *yaml.TypeError
	)
	if strings.HasPrefix(err.Error(), "time: ") { // the reader does not say where
		return fmt.Errorf("%s: %s; write a length of time as 30s, 17m or 24h", name, err)
	}
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s: %s", name, strings.Join(strings.Fields(err.Error()), " "))
	}
	found := at.GetToken()
	place := fmt.Sprintf("%s:%d", name, found.Position.Line)
	switch {
	case errors.As(err, &unknown):
		keys := keysOf(reflect.TypeFor[File](), "")
		// a neighbour within {} looks like a group
		for group := groupOf(found); group != ""; group = group[:max(0, strings.LastIndexByte(group, '.'))] {
			here := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, group+".") })
			if len(here) > 0 {
				keys = here
				break
			}
		}
		return fmt.Errorf("%s: unknown key %q; the keys here are %s", place, found.Value, strings.Join(keys, ", "))
	case errors.As(err, &typed):
		return fmt.Errorf("%s: %q stands where %s belongs", place, found.Value, kindInWords(typed.DstType))
	}
	return fmt.Errorf("%s: not YAML: %s", place, strings.Join(strings.Fields(at.GetMessage()), " "))
}

// groupOf returns the keys under which an indented key stands, joined by dots; empty at the outermost level.
func groupOf(key *token.Token) string {
	group, column := "", key.Position.Column
	for t := key.Prev; t != nil; t = t.Prev {
		if t.Position.Column < column && t.Next != nil && t.Next.Type == token.MappingValueType {
			group, column = strings.TrimSuffix(t.Value+"."+group, "."), t.Position.Column
		}
	}
	return group
}

// keysOf lists the keys of a configuration struct, those of its parts as "part.key".
func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		part := f.Type
		if k := part.Kind(); k == reflect.Slice || k == reflect.Pointer {
			part = part.Elem()
		}
		switch {
		case tag == "":
		case part.Kind() == reflect.Struct:
			keys = append(keys, keysOf(part, prefix+tag+".")...)
		default:
			keys = append(keys, prefix+tag)
		}
	}
	slices.Sort(keys)
	return keys
}

func kindInWords(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Uint32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a group of keys"
	}
	return "a text"
}

// check refuses limits that mean nothing.
func (f *File) check(name string) error {
	l := reflect.ValueOf(f.Limits)
	for i := range l.NumField() {
		key := l.Type().Field(i).Tag.Get("yaml")
		if v := l.Field(i); v.CanInt() && v.Int() < 0 && key != "min_free_bytes" {
			return fmt.Errorf("%s: limits.%s is %d; a limit is a positive number, or left out for its default", name, key,
				v.Int())
		}
	}
	if r := f.Tracing.SampleRatio; r < 0 || r > 1 {
		return fmt.Errorf("%s: tracing.sample_ratio is %v; it lies between 0 and 1", name, r)
	}
	if err := f.Retention.Check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if p := f.ClickHouse.Protocol; p != "" && p != "native" && p != "http" {
		return fmt.Errorf("%s: clickhouse.protocol is %q; say native or http", name, p)
	}
	return nil
}
