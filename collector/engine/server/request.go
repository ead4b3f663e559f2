package server

import (
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// request is an HTTP request, read up to where the rows of an INSERT begin.
type request struct {
	writer    bool
	statement statement
	database  string
	format    string // default output format
	id        string // query_id
	params    map[string]string
	settings  []setting // as the URL states them
	timeout   time.Duration
	body      io.Reader // the rest of the rows
	protocol  int       // client_protocol_version
	compress  string    // native compression of the answer: "", "LZ4" or "ZSTD"
	encoding  string    // HTTP compression of the answer: "", "gzip", "zstd", "deflate" or "br"
}

// maxParams bounds the parameters in the URL.
const maxParams = 500

// maxZstdWindow bounds the memory that a zstd body may ask for.
const maxZstdWindow = 64 << 20

func (s *handler) readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	writer, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newException(codeBadArguments, "the URL's query does not parse: %v", err)
	}
	if len(values) > maxParams {
		return nil, newException(codeBadArguments, "%d parameters in the URL, at most %d", len(values), maxParams)
	}
	q := &request{
		writer: writer && r.Method == http.MethodPost, id: values.Get("query_id"), database: values.Get("database"),
		format: values.Get("default_format"), params: make(map[string]string),
	}
	// A reader's session could hold nothing: readonly=1 has no SET and no temporary tables. Clients send an id by default.
	if q.writer && values.Has("session_id") {
		return nil, newException(codeNotImplemented, "sessions (session_id) are not kept: send settings with each request")
	}
	q.database = cmp.Or(q.database, r.Header.Get("X-ClickHouse-Database"))
	q.format = cmp.Or(q.format, r.Header.Get("X-ClickHouse-Format"), "TabSeparated")
	if q.id == "" {
		q.id = newID()
	}
	q.protocol, _ = strconv.Atoi(values.Get("client_protocol_version"))
	if seconds, err := strconv.Atoi(values.Get("max_execution_time")); err == nil && seconds > 0 && seconds < 24*3600 {
		q.timeout = time.Duration(seconds) * time.Second
	}
	q.readParams(values)
	if isTrue(values.Get("compress")) {
		q.compress = "LZ4"
		if strings.EqualFold(values.Get("network_compression_method"), "ZSTD") {
			q.compress = "ZSTD"
		}
	} else if isTrue(values.Get("enable_http_compression")) {
		q.encoding = acceptedEncoding(r.Header.Get("Accept-Encoding"))
	}
	if err := s.readBody(w, r, values, q); err != nil {
		return nil, err
	}
	return q, nil
}

// clientParams steer the HTTP interface and are not settings of ClickHouse.
var clientParams = nameSet(
	`query database default_format query_id session_id user password quota_key role stacktrace compress decompress
	client_protocol_version enable_http_compression http_zlib_compression_level 
	http_native_compression_disable_checksumming_on_decompress
	network_compression_method network_zstd_compression_level wait_end_of_query buffer_size send_progress_in_http_headers
	http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close add_http_cors_header
	http_write_exception_in_output_format
	session_timeout session_check max_execution_time timeout_before_checking_execution_speed`)

// readParams sorts the URL's parameters into those of the statement and settings.
func (q *request) readParams(values url.Values) {
	for name, list := range values {
		switch {
		case strings.HasPrefix(name, "param_"):
			q.params[strings.TrimPrefix(name, "param_")] = list[0]
		case !clientParams[name] && isSettingName(name):
			q.settings = append(q.settings, setting{name, list[0]})
		}
	}
}

func isSettingName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }

// readBody finds the statement: in the URL, then the body is rows; or at the body's beginning.
func (s *handler) readBody(w http.ResponseWriter, r *http.Request, values url.Values, q *request) error {
	limit := s.options.MaxInsertBytes
	if !q.writer {
		limit = int64(s.options.MaxQueryBytes)
	}
	incoming := &patientReader{
		r: http.MaxBytesReader(w, r.Body, limit), control: http.NewResponseController(w), timeout: s.options.ReadTimeout,
	}
	body, err := decodeBody(incoming, r.Header.Get("Content-Encoding"), isTrue(values.Get("decompress")))
	if err != nil {
		return err
	}
	body = &limitedReader{r: body, left: limit, limit: limit}
	text := values.Get("query")
	if media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil &&
		media == "multipart/form-data" {
		form, err := readForm(multipart.NewReader(body, parameters["boundary"]))
		if err != nil {
			return err
		}
		for name, value := range form {
			if param, ok := strings.CutPrefix(name, "param_"); ok {
				q.params[param] = value
			}
		}
		text += form["query"]
		body = strings.NewReader("")
	}
	max := s.options.MaxQueryBytes
	if len(text) > max {
		return newException(codeTooLarge, "the statement has %d bytes, at most %d", len(text), max)
	}
	if strings.TrimSpace(text) != "" {
		if q.statement = parseStatement(text, r.ContentLength != 0 && r.Method == http.MethodPost); q.statement.insert {
			q.body = body
			return nil
		}
	}
	head := make([]byte, max+1)
	n, _, err := readUpTo(body, head)
	if err != nil {
		return badBody(err)
	}
	if text != "" && n > 0 {
		text += "\n"
	}
	text += string(head[:n])
	q.statement = parseStatement(text, false)
	if q.statement.insert {
		q.body = body
		return nil
	}
	if len(text) > max {
		return newException(codeTooLarge, "the statement has more than %d bytes", max)
	}
	if strings.TrimSpace(text) == "" {
		return newException(codeSyntaxError, "empty query: put it into the body, or into the URL as ?query=")
	}
	return nil
}

// readForm reads the fields of a form; a file in it is an external table, which is not supported.
func readForm(form *multipart.Reader) (map[string]string, error) {
	fields := make(map[string]string)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, badBody(err)
		}
		if part.FileName() != "" || len(fields) == maxParams {
			return nil, newException(codeNotImplemented,
				"external tables are not supported: only the fields query and param_name of a form")
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, badBody(err)
		}
		fields[part.FormName()] = string(value)
	}
}

// badBody turns a reading error into an answer.
func badBody(err error) error {
	var e *chdb.Exception
	var tooLarge *http.MaxBytesError
	if errors.As(err, &e) || errors.As(err, &tooLarge) {
		return err
	}
	return newException(codeBadArguments, "cannot read the request's body: %v", err)
}

// patientReader gives a client a time limit for its next bytes.
type patientReader struct {
	r       io.Reader
	control *http.ResponseController
	timeout time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(p.timeout))
	n, err := p.r.Read(b)
	if err != nil {
		// From here on the server reads only to see the client leave: a deadline would look like that.
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// limitedReader gives an error, and not an end, when more than the limit comes: a cut INSERT must not pass for a whole
// one.
type limitedReader struct {
	r           io.Reader
	left, limit int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &http.MaxBytesError{Limit: l.limit}
	}
	return n, err
}

// decodeBody undoes the HTTP content encoding, then ClickHouse's own compression.
func decodeBody(body io.Reader, encoding string, native bool) (io.Reader, error) {
	packed := body
	switch strings.ToLower(encoding) {
	case "", "identity":
	case "gzip", "x-gzip":
		body = &lazyReader{open: func() (io.Reader, error) { return gzip.NewReader(packed) }}
	case "deflate":
		body = &lazyReader{open: func() (io.Reader, error) { return zlib.NewReader(packed) }}
	case "br":
		body = brotli.NewReader(packed)
	case "zstd":
		body = &lazyReader{open: func() (io.Reader, error) {
			d, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxZstdWindow),
				zstd.WithDecoderMaxWindow(maxZstdWindow))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}}
	default:
		return nil, newException(codeNotImplemented, "Content-Encoding %q: use gzip, zstd, deflate or br", encoding)
	}
	if native {
		body = compress.NewReader(body)
	}
	return body, nil
}

// lazyReader opens a decoder at the first byte, so that an empty body needs none.
type lazyReader struct {
	open func() (io.Reader, error)
	r    io.Reader
	err  error
}

func (l *lazyReader) Read(p []byte) (int, error) {
	if l.r == nil && l.err == nil {
		if l.r, l.err = l.open(); l.err != nil && !errors.Is(l.err, io.EOF) {
			l.err = newException(codeBadArguments, "cannot unpack the request's body: %v", l.err)
		}
	}
	if l.err != nil {
		return 0, l.err
	}
	return l.r.Read(p)
}

// acceptedEncoding picks the answer's compression from Accept-Encoding, in ClickHouse's order of preference.
func acceptedEncoding(accept string) string {
	for _, want := range []string{"zstd", "br", "gzip", "deflate"} {
		for _, item := range strings.Split(accept, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(item), ";")
			if strings.EqualFold(strings.TrimSpace(name), want) && strings.ReplaceAll(q, " ", "") != "q=0" {
				return want
			}
		}
	}
	return ""
}

// rowsFrom gives the rows of an INSERT chunk by chunk, each in buffer: what stood in the statement's text, then the
// body.
func (q *request) rowsFrom(buffer []byte) func() ([]byte, error) {
	source := io.MultiReader(strings.NewReader(q.statement.data), q.body)
	done := false
	return func() ([]byte, error) {
		if done {
			return nil, nil
		}
		n, end, err := readUpTo(source, buffer)
		if err != nil {
			return nil, badBody(err)
		}
		done = end
		return buffer[:n], nil
	}
}

// insertChunkBytes is how much of an INSERT's rows is handed to ClickHouse at once.
const insertChunkBytes = 1 << 20

// readUpTo fills p as far as r goes. Unlike io.ReadFull it keeps the end of the data apart from a body that was cut,
// whose rows must not be taken for all.
func readUpTo(r io.Reader, p []byte) (n int, end bool, err error) {
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}
