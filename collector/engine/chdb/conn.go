package chdb

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"unsafe"
)

// Result is what a statement gave. Data is in the format asked for.
type Result struct {
	Data         []byte
	Rows         uint64 // rows of the result
	ReadRows     uint64 // rows read from tables
	ReadBytes    uint64
	WrittenRows  uint64
	WrittenBytes uint64
}

// Conn is one ClickHouse session. A session runs one statement at a time; the mutex makes a second wait.
type Conn struct {
	lib    *Library
	mu     sync.Mutex
	handle unsafe.Pointer // chdb_connection *, what close wants
	conn   unsafe.Pointer // chdb_connection, what queries want
}

var errConnect = errors.New("ClickHouse refused the connection")

// Connect opens a session. args are "--name=value" options; those of the first session of the process configure the
// engine.
func Connect(lib *Library, args ...string) (*Conn, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]unsafe.Pointer, 0, len(args)+2) // C's: with a program name and a nil at the end
	for _, arg := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, pinString(&pin, arg))
	}
	argv = append(argv, nil)
	restore := saveSignalHandlers()
	handle := lib.connect(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	restore()
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errConnect
	}
	inner := *(*unsafe.Pointer)(handle)
	if inner == nil {
		return nil, errConnect
	}
	return &Conn{lib: lib, handle: handle, conn: inner}, nil
}

// Close ends the session; it may be called twice.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return
	}
	c.lib.closeConn(c.handle)
	c.handle, c.conn = nil, nil
}

// ErrClosed says that the session was closed.
var ErrClosed = errors.New("the ClickHouse connection is closed")

// Query runs a statement and gives its whole result. params are its query parameters, {name:Type} in the SQL: values
// in ClickHouse's escaped text form, as the HTTP interface's param_name carries them (a tab is \t, a NULL is \N).
func (c *Conn) Query(sql, format string, params map[string]string) (Result, error) {
	var out Result
	err := c.QueryInPlace(sql, format, params, func(r Result) error {
		out = r
		out.Data = bytes.Clone(r.Data)
		return nil
	})
	return out, err
}

// QueryInPlace is Query without a copy of the result: Data is ClickHouse's memory, which use may read until it returns.
func (c *Conn) QueryInPlace(sql, format string, params map[string]string, use func(Result) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.start(c.lib.queryParamsN, sql, format, params)
	if err != nil {
		return err
	}
	return c.lend(r, use)
}

// Stream runs a SELECT and lends its result to each, part by part, in order: Data is ClickHouse's memory and ends with
// the call. An error of each ends the statement.
func (c *Conn) Stream(sql, format string, params map[string]string, each func(Result) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.start(c.lib.streamQueryParamsN, sql, format, params)
	if err != nil {
		return err
	}
	defer c.lib.destroyResult(r)
	if text := c.lib.resultError(r); text != "" {
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

// Insert runs an INSERT whose rows come from next, chunk by chunk, in the given input format, until it gives an empty
// one; a chunk is not read after the next one was asked for. It returns when the part is durable. An error of next
// cancels it.
func (c *Conn) Insert(sql, format string, params map[string]string, next func() ([]byte, error)) (sum Result,
	err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.start(c.lib.insertParamsN, sql, format, params)
	if err != nil {
		return Result{}, err
	}
	defer c.lib.insertDestroy(s)
	for refused := false; ; {
		if text := c.lib.insertError(s); text != "" {
			return Result{}, parseException(text)
		}
		var chunk []byte
		if !refused {
			if chunk, err = next(); err != nil {
				c.lib.insertCancel(s)
				return Result{}, err
			}
		}
		if len(chunk) == 0 {
			break
		}
		refused = c.lib.insertAppend(s, unsafe.Pointer(unsafe.SliceData(chunk)), uintptr(len(chunk))) != 0
		runtime.KeepAlive(chunk)
	}
	err = c.lend(c.lib.insertDone(s), func(r Result) error {
		r.Data = nil
		sum = r
		return nil
	})
	return sum, err
}

// start hands a statement to the library; the caller holds the lock and frees what it gets.
func (c *Conn) start(f statementFunc, sql, format string, params map[string]string) (unsafe.Pointer, error) {
	if c.conn == nil {
		return nil, ErrClosed
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	names, nameLens, values, valueLens := pinParams(&pin, params)
	r := f(c.conn, stringPointer(sql), uintptr(len(sql)), stringPointer(format), uintptr(len(format)),
		names, nameLens, values, valueLens, uintptr(len(params)))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if r == nil {
		return nil, errNoResult
	}
	return r, nil
}

var errNoResult = errors.New("ClickHouse gave no result")

// lend hands a result to use and frees it.
func (c *Conn) lend(r unsafe.Pointer, use func(Result) error) error {
	if r == nil {
		return errNoResult
	}
	defer c.lib.destroyResult(r)
	if text := c.lib.resultError(r); text != "" {
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

// Kind is what a statement does, in the words of ClickHouse's own parser.
type Kind uint32

// The kinds, as chdb.h numbers them.
const (
	ReadOnly       Kind = 0
	Mutating       Kind = 1
	MutatingGlobal Kind = 2
	Control        Kind = 3 // SET, USE: changes the session
	Unknown        Kind = 4 // does not parse
)

// Class is what ClickHouse's own parser says a text would do.
type Class struct {
	Statements int
	Kind       Kind
}

// Classify asks ClickHouse's parser about sql without running it.
func (c *Conn) Classify(sql string) (Class, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return Class{}, ErrClosed
	}
	var out struct{ structSize, count, flags, class uint32 }
	out.structSize = uint32(unsafe.Sizeof(out))
	if state := c.lib.classifyN(c.conn, stringPointer(sql), uintptr(len(sql)), nil, 0, unsafe.Pointer(&out)); state != 0 {
		return Class{}, errors.New("ClickHouse did not classify the statement")
	}
	runtime.KeepAlive(sql)
	return Class{Statements: int(out.count), Kind: Kind(out.class)}, nil
}
