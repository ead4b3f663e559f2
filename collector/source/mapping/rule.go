package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// compileEvent compiles events[i].
func (c *compiler) compileEvent(i int) {
	s := c.spec.Events[i]
	at := fmt.Sprintf("events[%d]", i)
	r := eventRule{typ: s.Type, required: s.Required, hasID: s.ID != "", by: -1}
	typ, known := event.ParseType(event.TypePrefix + s.Type)
	if !known || typ == event.FeedHeartbeat {
		c.Wrong(at+".type", fmt.Sprintf("%q is no type of event that a row can give", s.Type),
			"use a type such as call.received or ticket.opened")
		return
	}
	r.kind = typ.Kind().String()
	prefix, rest, _ := strings.Cut(s.Subject, "/")
	if prefix != r.kind || rest == "" {
		c.Wrong(at+".subject", fmt.Sprintf("the subject of %s is not %q", s.Type, s.Subject),
			fmt.Sprintf("write subject: %s/{field}", r.kind))
	}
	r.subject = c.template(at+".subject", rest)
	for _, part := range r.subject.parts {
		if part.field >= 0 {
			c.m.fields[part.field].names = true
		}
	}
	if len(r.subject.parts) > 0 {
		if _, fixed := r.subject.constant(); fixed {
			c.Wrong(at+".subject", "the subject names no field", "every row would be the same case")
		}
	}
	if r.hasID {
		r.id = c.template(at+".id", s.ID)
		if _, fixed := r.id.constant(); fixed {
			c.Wrong(at+".id", "the id names no field", "every row would give the same id")
		}
	}
	n, ok := c.index[s.Time]
	switch {
	case !ok:
		c.Wrong(at+".time", fmt.Sprintf("there is no field %q", s.Time), "name a field with type: time")
	case c.m.fields[n].kind != timeField:
		c.Wrong(at+".time", fmt.Sprintf("the field %q is no time", s.Time), "give it type: time and formats")
	}
	r.time = n
	switch {
	case c.m.Several && s.Pick == "":
		c.Wrong(at+".pick", "a case stands on several rows, and nothing says which one counts",
			"write pick: earliest or pick: latest")
	case !c.m.Several && s.Pick != "":
		c.Wrong(at+".pick", "pick is for tables with several rows of a case", "remove it or set table.rows_per_case: several")
	}
	r.latest = c.word(at+".pick", "pick", s.Pick, "earliest", "latest") == "latest"
	if s.By != "" {
		n, ok := c.index[s.By]
		switch {
		case s.Pick == "":
			c.Wrong(at+".by", "by goes with pick", "write pick: latest or pick: earliest")
		case !ok || c.m.fields[n].kind != timeField && c.m.fields[n].kind != numberField:
			c.Wrong(at+".by", fmt.Sprintf("there is no field %q that is a time or a number", s.By), "name one")
		}
		r.by = n
	}
	for j, w := range s.When {
		c.compileWhen(fmt.Sprintf("%s.when[%d]", at, j), w, &r)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		c.compileData(at+".data."+key, key, s.Data[key], &r)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Attributes)) {
		if _, known := dataKeys[key]; known || key == "center" || !fieldName.MatchString(key) {
			c.Wrong(at+".attributes."+key, "the key is no name for an attribute",
				"use lower-case letters, digits and _, and no key of data")
		}
		r.data = append(r.data, dataItem{
			key: key, kind: dataText, tmpl: []template{c.template(at+".attributes."+key, s.Attributes[key])},
		})
	}
	r.head = headOf(c.m.Source, s.Type)
	c.m.rules = append(c.m.rules, r)
}

// headOf is the JSON from source to subject.
func headOf(source, typ string) []byte {
	head := appendJSON([]byte(`,"source":`), source)
	head = append(head, `,"type":`...)
	head = appendJSON(head, event.TypePrefix+typ)
	return append(head, `,"subject":`...)
}

// template compiles a text and refuses a caller's number in it: ids and codes are shown and kept.
func (c *compiler) template(at, text string) template {
	t, err := compileTemplate(text, c.index)
	if err != nil {
		c.Wrong(at, fmt.Sprintf("%q: %v", text, err), "fields are listed under fields; {{ stands for {")
		return template{}
	}
	for _, p := range t.parts {
		if p.field >= 0 && c.m.fields[p.field].kind == phoneField {
			c.Wrong(at, "a telephone number may only go to data.caller", "use another field")
		}
	}
	return t
}

func (c *compiler) compileWhen(at string, w condSpec, r *eventRule) {
	n, ok := c.index[w.Field]
	if !ok {
		c.Wrong(at+".field", fmt.Sprintf("there is no field %q", w.Field), "name a field")
		return
	}
	given := 0
	cond := condition{field: n, changed: -1}
	list := func(values []string, not bool) {
		given++
		cond.not = not
		cond.in = map[string]bool{}
		for _, v := range values {
			cond.in[v] = true
		}
	}
	if w.Equals != nil {
		list([]string{*w.Equals}, false)
	}
	if w.In != nil {
		list(w.In, false)
	}
	if w.NotIn != nil {
		list(w.NotIn, true)
	}
	if w.Empty != nil {
		given++
		cond.empty = w.Empty
	}
	if w.Changed {
		given++
		cond.changed = c.changes(at, n)
	}
	if given != 1 {
		c.Wrong(at, "a condition has exactly one of equals, in, not_in, empty and changed: true",
			"write several conditions as several items; all must hold")
	}
	if cond.in != nil && c.m.fields[n].kind != textField {
		c.Wrong(at, "equals, in and not_in compare texts",
			"use empty: true or false for a time, a number or a telephone number")
	}
	c.checkReachable(at, &c.m.fields[n], cond.in)
	r.when = append(r.when, cond)
}

// checkReachable finds a word of a condition that the field's value map can never give.
func (c *compiler) checkReachable(at string, f *field, words map[string]bool) {
	if f.values == nil || f.unknown == "keep" {
		return
	}
	given := append(slices.Collect(maps.Values(f.values)), "", f.unknown)
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if !slices.Contains(given, w) {
			c.Wrong(at, fmt.Sprintf("the values of %s never give %q", f.name, w), "write one of the right sides of its values")
		}
	}
}

// holds reports whether the condition is met; changed has the bits of the sequence.
func (w *condition) holds(values []value, changed uint64) bool {
	v := values[w.field]
	switch {
	case w.changed >= 0:
		return v.set && changed&(1<<w.changed) != 0
	case w.empty != nil:
		return v.set != *w.empty
	case !v.set: // not_in wants another value, and an empty field has none
		return w.in[""] && !w.not
	}
	return w.in[v.text] != w.not
}

func (c *compiler) compileData(at, key string, texts yamlfile.Texts, r *eventRule) {
	kind, ok := dataKeys[key]
	if !ok {
		c.Wrong(at, fmt.Sprintf("%q is no key of data", key),
			"use one of "+strings.Join(slices.Sorted(maps.Keys(dataKeys)), ", ")+"; others go under attributes")
		return
	}
	item := dataItem{key: key, kind: kind}
	if kind != dataList && len(texts) != 1 {
		c.Wrong(at, "the value is a list", "write one text")
		return
	}
	only := -1
	if kind == dataCaller {
		// The one place where a telephone number may go, so template's check does not apply.
		t, err := compileTemplate(texts[0], c.index)
		if err != nil || t.only() < 0 {
			c.Wrong(at, "caller is not a single field", "write caller: \"{field}\" with a field of type phone")
			return
		}
		item.tmpl = []template{t}
		only = t.only()
	} else {
		for _, text := range texts {
			item.tmpl = append(item.tmpl, c.template(at, text))
		}
		if len(item.tmpl) == 1 {
			only = item.tmpl[0].only()
		}
	}
	wants := func(kind fieldKind, word string) {
		if only < 0 || c.m.fields[only].kind != kind && (kind != numberField || c.m.fields[only].kind != durationField) {
			c.Wrong(at, "the value is not a single field of type "+word, fmt.Sprintf("write %s: \"{field}\"", key))
		}
	}
	switch kind {
	case dataCaller:
		wants(phoneField, "phone")
	case dataTime:
		wants(timeField, "time")
	case dataNumber, dataInteger:
		text, fixed := item.tmpl[0].constant()
		if n, err := strconv.ParseFloat(text, 64); fixed && err == nil {
			num, err := numberJSON(key, kind, n)
			if err != nil {
				c.Wrong(at, err.Error(), "correct the number")
			}
			item.num = string(num)
			break
		}
		wants(numberField, "number")
	}
	c.checkCodes(at, key, item, r)
	r.data = append(r.data, item)
}

// checkCodes compares what a mapping says with the lists of words that exist, so that a slip is found before a row is.
func (c *compiler) checkCodes(at, key string, item dataItem, r *eventRule) {
	list := codes(key)
	if key == "result" {
		list = event.Results()
		if r.kind == event.KindAgent.String() {
			list = event.AgentStates()
		}
	}
	if list == nil || len(item.tmpl) == 0 {
		return
	}
	check := func(v string) {
		if v != "" && !slices.Contains(list, v) {
			c.Wrong(at, fmt.Sprintf("%q is no %s", v, key), "use one of "+strings.Join(list, ", "))
		}
	}
	if text, fixed := item.tmpl[0].constant(); fixed {
		check(text)
		return
	}
	n := item.tmpl[0].only()
	if n < 0 || c.m.fields[n].values == nil {
		c.Wrong(at, fmt.Sprintf("%s takes words of a closed list, and the field has no value map", key),
			"add values to the field")
		return
	}
	f := &c.m.fields[n]
	for _, v := range slices.Sorted(maps.Values(f.values)) {
		check(v)
	}
	switch f.unknown {
	case "refuse", "empty":
	default:
		check(f.unknown)
	}
}

// numberJSON checks the range of a numeric key and writes it as JSON.
func numberJSON(key string, kind dataKind, n float64) ([]byte, error) {
	limit := 1e12
	low := 0.0
	switch key {
	case "lat":
		low, limit = -90, 90
	case "lon":
		low, limit = -180, 180
	case "revision":
		limit = 1<<32 - 1
	case "ring_ms", "wait_ms":
		limit = event.MaxDurationMS
	}
	if !(n >= low && n <= limit) {
		return nil, fmt.Errorf("%s is not between %g and %g", key, low, limit)
	}
	if kind == dataInteger {
		return strconv.AppendInt(nil, int64(n+0.5), 10), nil
	}
	return strconv.AppendFloat(nil, n, 'f', -1, 64), nil
}

// appendJSON appends s, valid UTF-8, as a JSON string.
func appendJSON[T ~string | ~[]byte](dst []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			// The error is for invalid UTF-8, which neither readers nor the YAML decoder let through and for which
			// AppendQuote writes the replacement character.
			out, _ := jsontext.AppendQuote(dst, s)
			return out
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
