package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/monev112/monev112/collector/engine/chdb"
)

func (s *handler) serveStatement(w http.ResponseWriter, r *http.Request) {
	q, err := s.readRequest(w, r)
	if err != nil {
		s.fail(w, err, 0)
		return
	}
	w.Header().Set("X-ClickHouse-Query-Id", q.id)
	a := newAnswer(w, q, writeTimeout)
	if isHello(q) {
		s.hello(w, a, q)
		return
	}
	if err := s.execute(r.Context(), a, q); err != nil {
		if a.started {
			a.failMidway(s.errorText(asException(err)))
		}
		s.fail(w, err, 0)
	}
}

// execute runs the statement on a connection of the right pool.
func (s *handler) execute(ctx context.Context, a *answer, q *request) error {
	from := s.database.readers
	if q.writer {
		from = s.database.writers
	}
	session, err := from.acquire(ctx, s.options.AcquireTimeout)
	if err != nil {
		return err
	}
	defer from.release(session)
	if !q.writer {
		if q.statement.insert {
			return newException(codeReadonly, "INSERT needs the key, and POST: %s", withKey)
		}
		if err := s.guard.check(session.conn, q.statement.sql, q.params); err != nil {
			return err
		}
		if len(q.settings) > 0 {
			if session, err = s.database.readerWith(session, q.settings); err != nil {
				return err
			}
			defer session.conn.Close()
			q.settings = nil
		}
	}
	if err := session.use(q.database); err != nil {
		return err
	}
	return session.with(q.settings, func() error {
		if q.statement.insert {
			return s.insert(a, q, session)
		}
		if q.writer && !q.statement.streaming {
			// SET, USE and temporary tables change the session, and requests share none: the next one gets a new connection.
			class, err := session.conn.Classify(q.statement.sql)
			session.broken = session.broken || err != nil || class.Kind == chdb.Control
		}
		return s.run(ctx, a, q, session)
	})
}

// insert stores the rows of the body. It is not ended when the client goes away after its last byte: what was sent
// whole is stored, and a client that asks again sends the same deduplication token.
func (s *handler) insert(a *answer, q *request, session *session) error {
	if session.chunk == nil {
		session.chunk = make([]byte, insertChunkBytes)
	}
	result, err := session.conn.Insert(q.statement.sql, q.statement.format, q.params, q.rowsFrom(session.chunk))
	if err != nil {
		// A cancelled insert keeps its hold on the table until the connection is used again or closed [seen: DROP TABLE
		// waits].
		session.broken = true
		return err
	}
	a.headers(s, q, q.format, &result)
	return a.end()
}

// errTimeout is the cause of a context that a statement's own time limit ended.
var errTimeout = newException(codeTimeout, "the statement took longer than the request allows")

// run executes any statement but an INSERT with rows, and sends its result: in parts where the format allows.
func (s *handler) run(ctx context.Context, a *answer, q *request, session *session) error {
	if q.timeout > 0 && (q.writer || q.timeout < readTimeout) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, q.timeout, errTimeout)
		defer cancel()
	}
	format := q.format
	if q.statement.format != "" {
		format = q.statement.format
	}
	mark := s.database.nextMark()
	defer s.database.killOnDone(ctx, mark)()
	sql := mark + q.statement.sql

	var err error = errNotStreamable
	if q.statement.streaming && partwiseFormats[format] {
		err = session.conn.Stream(sql, q.format, q.params, func(part chdb.Result) error {
			if !a.started {
				a.headers(s, q, format, nil)
			}
			return a.write(part.Data)
		})
		switch {
		case err == nil && context.Cause(ctx) != nil:
			err = context.Cause(ctx) // never pass a result that a kill may have cut for a whole one
		case err == nil && !a.started:
			a.headers(s, q, format, nil)
		case err != nil && !isNotStreamable(err):
			// As with inserts, a statement that failed midway stays in ClickHouse until its connection is used again or closed.
			session.broken = true
		}
	}
	if !a.started && isNotStreamable(err) {
		err = session.conn.QueryInPlace(sql, q.format, q.params, func(result chdb.Result) error {
			a.headers(s, q, format, &result)
			return a.write(result.Data)
		})
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return a.end()
}

var errNotStreamable = newException(codeBadArguments, "Streaming query is not supported")

// isNotStreamable recognises the library's refusal to hand out a statement's result in parts; it comes before anything
// runs.
func isNotStreamable(err error) bool {
	var e *chdb.Exception
	return errors.As(err, &e) && e.Code == codeBadArguments.number &&
		strings.Contains(e.Text, "Streaming query is not supported")
}

// helloQuery is what clickhouse-go asks first over HTTP.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

func isHello(q *request) bool {
	return q.protocol > 0 && q.format == "Native" && strings.TrimSpace(q.statement.sql) == helloQuery
}

// hello answers clickhouse-go's first query. The client decodes this one block at its own protocol version and all
// later ones at the version the block states: 0, which is how the library writes Native.
func (s *handler) hello(w http.ResponseWriter, a *answer, q *request) {
	block := proto.NewBlock()
	var err error
	for _, c := range []struct{ name, kind string }{
		{"displayName()", "String"}, {"version()", "String"}, {"revision()", "UInt32"}, {"timezone()", "String"},
	} {
		err = errors.Join(err, block.AddColumn(c.name, column.Type(c.kind)))
	}
	buffer := new(chproto.Buffer)
	if err == nil {
		err = block.Append(s.display, s.version, uint32(0), "UTC")
	}
	if err == nil {
		err = block.Encode(buffer, uint64(q.protocol))
	}
	if err != nil {
		s.fail(w, err, 0)
		return
	}
	a.headers(s, q, "Native", nil)
	if a.write(buffer.Buf) == nil {
		_ = a.end()
	}
}
