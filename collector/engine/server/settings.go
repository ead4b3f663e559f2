package server

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// readerSettable are the settings that a reader may choose: how an answer looks and what a statement means. None
// reaches a file, a host or a bound.
var readerSettable = nameSet(`
	session_timezone date_time_input_format date_time_output_format
	join_use_nulls group_by_use_nulls transform_null_in cast_keep_nullable union_default_mode extremes final
	prefer_column_name_to_alias low_cardinality_allow_in_native_format result_overflow_mode
	output_format_json_quote_64bit_integers output_format_json_quote_64bit_floats output_format_json_quote_decimals
	output_format_json_quote_denormals output_format_json_named_tuples_as_objects output_format_json_array_of_rows
	output_format_native_encode_types_in_binary_format output_format_binary_write_json_as_string
	output_format_native_write_json_as_string output_format_decimal_trailing_zeros output_format_write_statistics
	output_format_tsv_crlf_end_of_line output_format_csv_crlf_end_of_line
`)

// readerLowers are bounds that a reader may make narrower. 0, which means no bound, is not narrower.
var readerLowers = nameSet("max_result_rows max_result_bytes max_memory_usage max_threads max_rows_to_read")

// readerWith connects a reader that has chosen settings: a connection with readonly=1 takes none any more, so they are
// given to one of its own. s, which the caller holds, says what the settings are otherwise. A setting that may not be
// chosen is refused unless it says what holds anyway.
func (d *Database) readerWith(s *session, chosen []setting) (*session, error) {
	bounds := d.options.readerSettings()
	var extra []setting
	for _, c := range chosen {
		i := slices.IndexFunc(bounds, func(b setting) bool { return b.name == c.name })
		switch {
		case readerSettable[c.name] && i < 0:
			extra = append(extra, c)
		case readerSettable[c.name]:
			bounds[i] = c
		case readerLowers[c.name] && narrower(c.value, bounds, i):
			if i < 0 {
				extra = append(extra, c)
			} else {
				bounds[i] = c
			}
		default:
			if err := s.holds(c); err != nil {
				return nil, err
			}
		}
	}
	fresh, err := d.connect(slices.Concat(extra, bounds), bounds)
	if err != nil {
		return nil, newException(codeBadArguments, "the settings in the URL are not accepted: %v", err)
	}
	return fresh, nil
}

// narrower reports whether a whole number lies within the bound at i; without one any but 0 does.
func narrower(value string, bounds []setting, i int) bool {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || n == 0 {
		return false
	}
	if i < 0 {
		return true
	}
	most, err := strconv.ParseUint(bounds[i].value, 10, 63)
	return err == nil && n <= most
}

// holds refuses a setting that says something else than what holds for s.
func (s *session) holds(c setting) error {
	result, err := s.conn.Query("SELECT toString(getSetting("+quoteString(c.name)+"))", "TSVRaw", nil)
	if err != nil {
		if e, ok := errors.AsType[*chdb.Exception](err); ok {
			return trimContext(e)
		}
		return err
	}
	now := strings.TrimRight(string(result.Data), "\n")
	if now == c.value || now == fmt.Sprint(isTrue(c.value)) && (isTrue(c.value) || c.value == "0" || c.value == "false") {
		return nil
	}
	return newException(codeReadonly, "Cannot modify %q setting in readonly mode: it is %s; %s", c.name,
		quoteString(now), withKey)
}
