// Package chdb binds libchdb.so, ClickHouse as a shared library, at run time without cgo: sessions that run statements,
// stream results and take rows. It knows nothing of HTTP, of keys or of who may do what.
package chdb

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Library is libchdb.so, bound function by function. Every field is one C function of chdb.h; handles are opaque
// pointers owned by the library. The zero value is useless; Load makes one.
type Library struct {
	setSignalHandlersEnabled func(enabled int32)
	connect                  func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn                func(conn unsafe.Pointer)
	queryParamsN             statementFunc
	streamQueryParamsN       statementFunc
	insertParamsN            statementFunc
	streamFetch              func(conn unsafe.Pointer, result unsafe.Pointer) unsafe.Pointer
	streamCancel             func(conn unsafe.Pointer, result unsafe.Pointer)
	destroyResult            func(result unsafe.Pointer)
	insertAppend             func(stream unsafe.Pointer, data unsafe.Pointer, n uintptr) int32
	insertDone               func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel             func(stream unsafe.Pointer)
	insertError              func(stream unsafe.Pointer) string
	insertDestroy            func(stream unsafe.Pointer)
	resultBuffer             func(result unsafe.Pointer) unsafe.Pointer
	resultLength             func(result unsafe.Pointer) uintptr
	resultRowsRead           func(result unsafe.Pointer) uint64
	resultStorageRowsRead    func(result unsafe.Pointer) uint64
	resultStorageBytesRead   func(result unsafe.Pointer) uint64
	resultRowsWritten        func(result unsafe.Pointer) uint64
	resultBytesWritten       func(result unsafe.Pointer) uint64
	resultError              func(result unsafe.Pointer) string
	classifyN                func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, database unsafe.Pointer,
		databaseLen uintptr, out unsafe.Pointer) int32
}

// statementFunc is a C function that takes a statement, a format and query parameters.
type statementFunc = func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr,
	names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer

// loaded remembers the one library of the process: dlopen of the same file gives the same copy, and the engine behind
// it is one for the process whatever this package does.
var loaded struct {
	sync.Mutex
	path string
	lib  *Library
}

// Load binds the library at path. Repeated calls with the same path give the same value; another path is
// refused, for a process holds one engine. It never panics: a missing file, a missing function or a foreign
// architecture is an error.
func Load(path string) (*Library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		if loaded.path != path {
			return nil, fmt.Errorf("load ClickHouse library %s: this process already uses %s", path, loaded.path)
		}
		return loaded.lib, nil
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load ClickHouse library %s: %w", path, err)
	}
	lib := new(Library)
	for _, f := range []struct {
		name string
		into any
	}{
		{"chdb_set_signal_handlers_enabled", &lib.setSignalHandlersEnabled},
		{"chdb_connect", &lib.connect},
		{"chdb_close_conn", &lib.closeConn},
		{"chdb_query_with_params_n", &lib.queryParamsN},
		{"chdb_stream_query_with_params_n", &lib.streamQueryParamsN},
		{"chdb_stream_fetch_result", &lib.streamFetch},
		{"chdb_stream_cancel_query", &lib.streamCancel},
		{"chdb_destroy_query_result", &lib.destroyResult},
		{"chdb_stream_insert_with_params_n", &lib.insertParamsN},
		{"chdb_stream_append", &lib.insertAppend},
		{"chdb_stream_done", &lib.insertDone},
		{"chdb_stream_cancel_insert", &lib.insertCancel},
		{"chdb_stream_insert_error", &lib.insertError},
		{"chdb_destroy_insert_stream", &lib.insertDestroy},
		{"chdb_result_buffer", &lib.resultBuffer},
		{"chdb_result_length", &lib.resultLength},
		{"chdb_result_rows_read", &lib.resultRowsRead},
		{"chdb_result_storage_rows_read", &lib.resultStorageRowsRead},
		{"chdb_result_storage_bytes_read", &lib.resultStorageBytesRead},
		{"chdb_result_rows_written", &lib.resultRowsWritten},
		{"chdb_result_bytes_written", &lib.resultBytesWritten},
		{"chdb_result_error", &lib.resultError},
		{"chdb_classify_query_n", &lib.classifyN},
	} {
		symbol, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf(
				"load ClickHouse library %s: function %s is missing; install the version of this program with `monev112 "+
					"engine install`: %w", path, f.name, err)
		}
		purego.RegisterFunc(f.into, symbol)
	}
	restore := saveSignalHandlers()
	lib.setSignalHandlersEnabled(0)
	restore()
	loaded.path, loaded.lib = path, lib
	return lib, nil
}

// stringPointer is the address of s's first byte, or nil for an empty s. The caller keeps s alive over the call.
func stringPointer(s string) unsafe.Pointer {
	if s == "" {
		return nil
	}
	return unsafe.Pointer(unsafe.StringData(s))
}

// pinString is the address of s with a NUL behind it, so never nil; it stays valid until pin is unpinned.
func pinString(pin *runtime.Pinner, s string) unsafe.Pointer {
	p := unsafe.Pointer(unsafe.StringData(s + "\x00"))
	pin.Pin(p)
	return p
}

// pinParams gives query parameters as the C side wants them: arrays that stay valid until pin is unpinned.
func pinParams(pin *runtime.Pinner, params map[string]string) (names, nameLens, values, valueLens unsafe.Pointer) {
	if len(params) == 0 {
		return nil, nil, nil, nil
	}
	var n, v []unsafe.Pointer
	var nl, vl []uintptr
	for name, value := range params {
		n, v = append(n, pinString(pin, name)), append(v, pinString(pin, value))
		nl, vl = append(nl, uintptr(len(name))), append(vl, uintptr(len(value)))
	}
	pin.Pin(&n[0])
	pin.Pin(&v[0])
	pin.Pin(&nl[0])
	pin.Pin(&vl[0])
	return unsafe.Pointer(&n[0]), unsafe.Pointer(&nl[0]), unsafe.Pointer(&v[0]), unsafe.Pointer(&vl[0])
}
