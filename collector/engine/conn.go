package engine

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Param is a query parameter: {name:Type} in the SQL. Value is in ClickHouse's escaped text form, as the HTTP
// interface's param_name carries it (a tab is \t, a NULL is \N).
type Param struct{ Name, Value string }

// Result is what a statement gave. Data is in the format asked for.
type Result struct {
	Data         []byte
	Rows         uint64 // rows of the result
	ReadRows     uint64 // rows read from tables
	ReadBytes    uint64
	WrittenRows  uint64
	WrittenBytes uint64
}

// conn is one ClickHouse session. A session runs one statement at a time; the mutex makes a second wait.
type conn struct {
	lib    *library
	mu     sync.Mutex
	handle unsafe.Pointer // chdb_connection *, what close wants
	conn   unsafe.Pointer // chdb_connection, what queries want
}

var errConnect = errors.New("ClickHouse refused the connection")

// connect opens a session. args are "--name=value" options; those of the first session of the process configure the
// engine.
func connect(lib *library, args ...string) (*conn, error) {
	argv := make([]unsafe.Pointer, 0, len(args)+2)
	keep := make([][]byte, 0, len(args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, arg := range append([]string{"clickhouse"}, args...) {
		b := append([]byte(arg), 0)
		pin.Pin(&b[0])
		keep = append(keep, b)
		argv = append(argv, unsafe.Pointer(&b[0]))
	}
	argv = append(argv, nil)
	restore := saveSignalHandlers()
	handle := lib.connect(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	restore()
	runtime.KeepAlive(keep)
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errConnect
	}
	inner := *(*unsafe.Pointer)(handle)
	if inner == nil {
		return nil, errConnect
	}
	return &conn{lib: lib, handle: handle, conn: inner}, nil
}

func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return
	}
	c.lib.closeConn(c.handle)
	c.handle, c.conn = nil, nil
}

var errConnClosed = errors.New("the ClickHouse connection is closed")

// query runs a statement and gives its whole result.
func (c *conn) query(sql, format string, pairs ...Param) (Result, error) {
	var out Result
	err := c.queryWith(sql, format, pairs, func(r Result) error {
		out = r
		out.Data = append([]byte(nil), r.Data...)
		return nil
	})
	return out, err
}

// queryWith runs a statement and lends its whole result to use: Data is ClickHouse's memory and ends with the call.
func (c *conn) queryWith(sql, format string, pairs []Param, use func(Result) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return errConnClosed
	}
	p := newParams(pairs)
	defer p.release()
	names, nameLens, values, valueLens, count := p.arrays()
	var r unsafe.Pointer
	if count == 0 {
		r = c.lib.queryN(c.conn, stringPointer(sql), uintptr(len(sql)), stringPointer(format), uintptr(len(format)))
	} else {
		r = c.lib.queryParamsN(c.conn, stringPointer(sql), uintptr(len(sql)), stringPointer(format), uintptr(len(format)),
			names, nameLens, values, valueLens, count)
	}
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	return c.lend(r, use)
}

// lend hands a result to use and frees it.
func (c *conn) lend(r unsafe.Pointer, use func(Result) error) error {
	if r == nil {
		return errors.New("ClickHouse gave no result")
	}
	defer c.lib.destroyResult(r)
	if text := cString(c.lib.resultError(r)); text != "" {
		return parseException(text)
	}
	out := Result{
		Rows: c.lib.resultRowsRead(r), ReadRows: c.lib.resultStorageRowsRead(r), ReadBytes: c.lib.resultStorageBytesRead(r),
		WrittenRows: c.lib.resultRowsWritten(r), WrittenBytes: c.lib.resultBytesWritten(r),
	}
	if n := c.lib.resultLength(r); n > 0 {
		out.Data = unsafe.Slice((*byte)(c.lib.resultBuffer(r)), n)
	}
	return use(out)
}

// stream runs a SELECT and lends its result to each, part by part, in order: Data is ClickHouse's memory and ends with
// the call. An error of each ends the statement.
func (c *conn) stream(sql, format string, pairs []Param, each func(Result) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return errConnClosed
	}
	p := newParams(pairs)
	defer p.release()
	names, nameLens, values, valueLens, count := p.arrays()
	r := c.lib.streamQueryParamsN(c.conn, stringPointer(sql), uintptr(len(sql)), stringPointer(format),
		uintptr(len(format)), names, nameLens, values, valueLens, count)
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if r == nil {
		return errors.New("ClickHouse gave no result")
	}
	defer c.lib.destroyResult(r)
	if text := cString(c.lib.resultError(r)); text != "" {
		return parseException(text)
	}
	for end := false; !end; {
		err := c.lend(c.lib.streamFetch(c.conn, r), func(part Result) error {
			if end = part.Rows == 0 && len(part.Data) == 0; end {
				return nil
			}
			return each(part)
		})
		if err != nil {
			c.lib.streamCancel(c.conn, r)
			return err
		}
	}
	return nil
}

// insert runs an INSERT whose rows come from next, chunk by chunk, in the given input format. An error of next cancels
// it.
func (c *conn) insert(sql, format string, pairs []Param, next func() ([]byte, error)) (Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return Result{}, errConnClosed
	}
	p := newParams(pairs)
	defer p.release()
	names, nameLens, values, valueLens, count := p.arrays()
	s := c.lib.insertParamsN(c.conn, stringPointer(sql), uintptr(len(sql)), stringPointer(format), uintptr(len(format)),
		names, nameLens, values, valueLens, count)
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if s == nil {
		return Result{}, errors.New("ClickHouse gave no insert stream")
	}
	defer c.lib.insertDestroy(s)
	if text := cString(c.lib.insertError(s)); text != "" {
		return Result{}, parseException(text)
	}
	for {
		chunk, err := next()
		if err != nil {
			c.lib.insertCancel(s)
			return Result{}, err
		}
		if len(chunk) == 0 {
			return c.finishInsert(s)
		}
		state := c.lib.insertAppend(s, unsafe.Pointer(unsafe.SliceData(chunk)), uintptr(len(chunk)))
		runtime.KeepAlive(chunk)
		if state != 0 {
			if text := cString(c.lib.insertError(s)); text != "" {
				return Result{}, parseException(text)
			}
			return c.finishInsert(s)
		}
	}
}

// finishInsert commits the insert; it returns when the part is durable.
func (c *conn) finishInsert(s unsafe.Pointer) (Result, error) {
	var out Result
	err := c.lend(c.lib.insertDone(s), func(r Result) error {
		out = r
		out.Data = nil
		return nil
	})
	return out, err
}

// statementClass is what ClickHouse's own parser says a text would do.
type statementClass struct {
	structSize uint32
	count      uint32
	flags      uint32
	class      uint32
}

const (
	classReadOnly       = 0
	classMutating       = 1
	classMutatingGlobal = 2
	classControl        = 3
	classUnknown        = 4
)

// classify asks ClickHouse's parser about sql without running it.
func (c *conn) classify(sql string) (statementClass, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return statementClass{}, errConnClosed
	}
	out := statementClass{structSize: uint32(unsafe.Sizeof(statementClass{}))}
	if state := c.lib.classifyN(c.conn, stringPointer(sql), uintptr(len(sql)), nil, 0, unsafe.Pointer(&out)); state != 0 {
		return statementClass{}, errors.New("ClickHouse did not classify the statement")
	}
	runtime.KeepAlive(sql)
	return out, nil
}

// setting is one ClickHouse setting of a session.
type setting struct{ name, value string }

func setStatement(settings []setting) string {
	parts := make([]string, len(settings))
	for i, s := range settings {
		parts[i] = fmt.Sprintf("%s = %s", s.name, quoteString(s.value))
	}
	return "SET " + strings.Join(parts, ", ")
}

// quoteString writes s as a ClickHouse string literal.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
