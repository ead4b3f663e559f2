package engine

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ErrLibraryMissing says that libchdb.so is neither where MONEV112_CHDB_LIB points nor in the cache folder.
var ErrLibraryMissing = errors.New("the ClickHouse library is not installed")

// library is libchdb.so, bound function by function. Every field is one C function of chdb.h; handles are opaque
// pointers owned by the library. The zero value is useless; loadLibrary makes one.
type library struct {
	setSignalHandlersEnabled func(enabled int32)
	version                  func() string
	connect                  func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn                func(conn unsafe.Pointer)
	queryN                   func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer,
		formatLen uintptr) unsafe.Pointer
	queryParamsN func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer,
		formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	streamQueryParamsN func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer,
		formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	streamFetch   func(conn unsafe.Pointer, result unsafe.Pointer) unsafe.Pointer
	streamCancel  func(conn unsafe.Pointer, result unsafe.Pointer)
	destroyResult func(result unsafe.Pointer)
	insertParamsN func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer,
		formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	insertAppend           func(stream unsafe.Pointer, data unsafe.Pointer, n uintptr) int32
	insertDone             func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel           func(stream unsafe.Pointer)
	insertError            func(stream unsafe.Pointer) unsafe.Pointer
	insertDestroy          func(stream unsafe.Pointer)
	resultBuffer           func(result unsafe.Pointer) unsafe.Pointer
	resultLength           func(result unsafe.Pointer) uintptr
	resultElapsed          func(result unsafe.Pointer) float64
	resultRowsRead         func(result unsafe.Pointer) uint64
	resultStorageRowsRead  func(result unsafe.Pointer) uint64
	resultStorageBytesRead func(result unsafe.Pointer) uint64
	resultRowsWritten      func(result unsafe.Pointer) uint64
	resultBytesWritten     func(result unsafe.Pointer) uint64
	resultError            func(result unsafe.Pointer) unsafe.Pointer
	classifyN              func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, database unsafe.Pointer,
		databaseLen uintptr, out unsafe.Pointer) int32
}

// loaded remembers the one library of the process: dlopen of the same file gives the same copy, and the engine behind
// it is one for the process whatever this package does.
var loaded struct {
	sync.Mutex
	path string
	lib  *library
}

// loadLibrary binds the library at path. Repeated calls with the same path give the same value; another path is
// refused, for a process holds one engine. It never panics: a missing file, a missing function or a foreign
// architecture is an error.
func loadLibrary(path string) (*library, error) {
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
	lib := new(library)
	for _, f := range []struct {
		name string
		into any
	}{
		{"chdb_set_signal_handlers_enabled", &lib.setSignalHandlersEnabled},
		{"chdb_version", &lib.version},
		{"chdb_connect", &lib.connect},
		{"chdb_close_conn", &lib.closeConn},
		{"chdb_query_n", &lib.queryN},
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
		{"chdb_result_elapsed", &lib.resultElapsed},
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
				"load ClickHouse library %s: function %s is missing; install version %s with `monev112 engine install`: %w",
				path, f.name, Version, err)
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

// cString copies a NUL-terminated string of the library; nil gives "".
func cString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// params holds query parameters in the shape the C side wants; keep it alive over the call with runtime.KeepAlive.
type params struct {
	names, values         []unsafe.Pointer
	nameLens, valueLens   []uintptr
	keepNames, keepValues []string
	pin                   runtime.Pinner
}

func newParams(pairs []Param) *params {
	p := new(params)
	for _, pair := range pairs {
		// A non-nil pointer even for empty values: the C side may build a string from pointer and length.
		name, value := pair.Name+"\x00", pair.Value+"\x00"
		p.keepNames, p.keepValues = append(p.keepNames, name), append(p.keepValues, value)
		np, vp := unsafe.Pointer(unsafe.StringData(name)), unsafe.Pointer(unsafe.StringData(value))
		p.pin.Pin(np)
		p.pin.Pin(vp)
		p.names, p.values = append(p.names, np), append(p.values, vp)
		p.nameLens, p.valueLens = append(p.nameLens, uintptr(len(pair.Name))), append(p.valueLens, uintptr(len(pair.Value)))
	}
	return p
}

func (p *params) arrays() (names, nameLens, values, valueLens unsafe.Pointer, count uintptr) {
	if len(p.names) == 0 {
		return nil, nil, nil, nil, 0
	}
	return unsafe.Pointer(&p.names[0]), unsafe.Pointer(&p.nameLens[0]), unsafe.Pointer(&p.values[0]),
		unsafe.Pointer(&p.valueLens[0]), uintptr(len(p.names))
}

func (p *params) release() { p.pin.Unpin() }
