package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// code is one of ClickHouse's error codes that this package answers with itself.
type code struct {
	number int
	name   string
}

var (
	codeBadArguments   = code{36, "BAD_ARGUMENTS"}
	codeNotImplemented = code{48, "NOT_IMPLEMENTED"}
	codeSyntaxError    = code{62, "SYNTAX_ERROR"}
	codeTimeout        = code{159, "TIMEOUT_EXCEEDED"}
	codeReadonly       = code{164, "READONLY"}
	codeTooManyQueries = code{202, "TOO_MANY_SIMULTANEOUS_QUERIES"}
	codeTooLarge       = code{290, "LIMIT_EXCEEDED"}
	codeAccessDenied   = code{497, "ACCESS_DENIED"}
	codeAuthentication = code{516, "AUTHENTICATION_FAILED"}
	codeUnknown        = code{1002, "UNKNOWN_EXCEPTION"}
)

func newException(c code, format string, args ...any) *chdb.Exception {
	return &chdb.Exception{
		Code: c.number, Name: c.name,
		Text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", c.number, fmt.Sprintf(format, args...), c.name),
	}
}

func denied(format string, args ...any) *chdb.Exception {
	return newException(codeAccessDenied, format, args...)
}

// asException turns any error into one that ClickHouse's clients understand.
func asException(err error) *chdb.Exception {
	var e *chdb.Exception
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ErrBusy):
		return newException(codeTooManyQueries, "all connections are busy: try again")
	case errors.Is(err, errClosed), errors.Is(err, chdb.ErrClosed):
		return newException(codeTooManyQueries, "the engine is stopping: try again")
	case errors.As(err, &tooLarge):
		return newException(codeTooLarge, "the request's body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		return newException(codeTimeout, "the statement took too long")
	}
	return newException(codeUnknown, "%v", err)
}

// httpStatus maps codes as ClickHouse's server does.
func httpStatus(number int) int {
	switch number {
	case codeAuthentication.number, 192, 193, codeAccessDenied.number, codeReadonly.number:
		return http.StatusForbidden
	case codeBadArguments.number, 6, 26, 27, 38, 41, 43, 44, 53, 62, 69, 70, 72, 117, 130, 131, 321, 349, 427, 439, 457,
		691:
		return http.StatusBadRequest
	case 46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 336:
		return http.StatusNotFound
	case codeTooLarge.number:
		return http.StatusRequestEntityTooLarge
	case codeNotImplemented.number:
		return http.StatusNotImplemented
	case codeTimeout.number:
		return http.StatusRequestTimeout
	case codeTooManyQueries.number:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
