package httpapi

import (
	"bytes"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/docs"
)

// document is docs/openapi.yaml, against which every answer of every test of this package is held.
type document struct {
	root     map[string]any
	compiler *jsonschema.Compiler
}

const documentURL = "file:///openapi.json"

func readDocument(t testing.TB) *document {
	t.Helper()
	d, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// theDocument is read and its schemas are compiled once for all tests.
var theDocument = sync.OnceValues(func() (*document, error) {
	text, err := yaml.YAMLToJSON(docs.OpenAPI())
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(documentURL, root); err != nil {
		return nil, err
	}
	return &document{root.(map[string]any), c}, nil
})

// at follows a path of keys; a $ref on the way is followed too. It returns the value and where it stands.
func (d *document) at(keys ...string) (any, []string) {
	var v any = d.root
	var where []string
	for i := 0; i <= len(keys); i++ {
		if m, ok := v.(map[string]any); ok {
			if ref, ok := m["$ref"].(string); ok {
				where = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
				v, _ = d.at(where...)
			}
		}
		if i == len(keys) {
			break
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, nil
		}
		if v, ok = m[keys[i]]; !ok {
			return nil, nil
		}
		where = append(slices.Clone(where), keys[i])
	}
	return v, where
}

// template returns the document's path for a request's path.
func (d *document) template(path string) string {
	path, _, _ = strings.Cut(path, "?")
	paths, _ := d.at("paths")
	for p := range paths.(map[string]any) {
		prefix, _, wild := strings.Cut(p, "{id}")
		if p == path || wild && strings.HasPrefix(path, prefix) {
			return p
		}
	}
	return ""
}

func (d *document) schema(t testing.TB, where ...string) *jsonschema.Schema {
	t.Helper()
	for i, k := range where {
		where[i] = url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1"))
	}
	s, err := d.compiler.Compile(documentURL + "#/" + strings.Join(where, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check fails the test when an answer is not what the document says: an unknown status, media type or shape, a missing
// header.
func (d *document) check(t testing.TB, method, path string, r reply) {
	t.Helper()
	where := []string{"components", "schemas", "Problem"} // of an unknown path or method
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	template := d.template(path)
	if op, _ := d.at("paths", template, strings.ToLower(method)); op != nil {
		status := strconv.Itoa(r.StatusCode)
		answer, _ := d.at("paths", template, strings.ToLower(method), "responses", status)
		if answer == nil {
			t.Errorf("%s %s answers %s, which the document does not have", method, template, status)
			return
		}
		content, at := d.at("paths", template, strings.ToLower(method), "responses", status, "content", mediaType)
		if content == nil {
			t.Errorf("%s %s %s answers with media type %q, which the document does not have", method, template, status,
				mediaType)
			return
		}
		where = append(at, "schema")
		headers, _ := answer.(map[string]any)["headers"].(map[string]any)
		for h := range headers {
			if r.Header.Get(h) == "" {
				t.Errorf("%s %s %s lacks the header %s", method, template, status, h)
			}
		}
	}
	if r.Header.Get(requestIDHeader) == "" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers %v", method, path, r.Header)
	}
	if !strings.HasSuffix(mediaType, "json") {
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.body))
	if err != nil {
		t.Errorf("%s %s: %v: %s", method, path, err, r.body)
		return
	}
	if err := d.schema(t, where...).Validate(v); err != nil {
		t.Errorf("%s %s %d: %v\n%s", method, path, r.StatusCode, err, r.body)
	}
}

func TestEveryRouteStandsInTheDocumentAndViceVersa(t *testing.T) {
	d := readDocument(t)
	var want, got []string
	var a API
	for _, e := range a.endpoints() {
		want = append(want, e.method+" "+strings.ReplaceAll(e.path, "*id", "{id}"))
	}
	paths, _ := d.at("paths")
	for p, ops := range paths.(map[string]any) {
		for m := range ops.(map[string]any) {
			got = append(got, strings.ToUpper(m)+" "+p)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("routes %v\ndocument %v", want, got)
	}
}

func TestEveryReferenceOfTheDocumentResolves(t *testing.T) {
	d := readDocument(t)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if target, _ := d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...); target == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(d.root)
	schemas, _ := d.at("components", "schemas")
	for name := range schemas.(map[string]any) {
		d.schema(t, "components", "schemas", name)
	}
}

// enum returns the values of a schema.
func (d *document) enum(name string) []string {
	v, _ := d.at("components", "schemas", name, "enum")
	var out []string
	for _, s := range v.([]any) {
		out = append(out, s.(string))
	}
	return out
}

func TestTheDocumentHasTheVocabulary(t *testing.T) {
	d := readDocument(t)
	var types, reasons []string
	for _, ty := range event.Types() {
		types = append(types, event.TypePrefix+ty.String())
	}
	for _, r := range event.Reasons() {
		reasons = append(reasons, string(r))
	}
	for name, want := range map[string][]string{
		"EventType": types, "RejectReason": reasons, "CallClass": event.Classes(), "Priority": event.Priorities(),
		"TicketState": states(),
	} {
		if got := d.enum(name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestTheDocumentsExampleIsValid(t *testing.T) {
	d := readDocument(t)
	example, _ := d.at("paths", "/v1/events", "post", "requestBody", "content", "application/cloudevents+json", "example")
	if err := d.schema(t, "components", "schemas", "CloudEvent").Validate(example); err != nil {
		t.Error(err)
	}
}
