package store

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// Kind says what an error of this package means for the one who has to go on. The texts are values of the label kind of
// the metric store_errors_total.
type Kind string

// The kinds of error.
const (
	// not reached, starting, overloaded, out of memory or disk: the same request works later
	Unavailable Kind = "unavailable"
	Timeout     Kind = "timeout" // no answer in time: the outcome is unknown, repeat with the same token
	Refused     Kind = "refused" // credentials or rights: works after someone has put them right
	Value       Kind = "value"   // a row that ClickHouse cannot take: never works; halve the batch to find it
	Query       Kind = "query"   // schema or statement: works after a migration or another version of this program
)

// KindOf classifies an error of this package. An error it does not know is Unavailable: to repeat costs time, to give
// up costs data. Nil gives "".
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if errors.Is(err, errValue) {
		return Value
	}
	var mig *MigrationError
	if errors.As(err, &mig) {
		return Query
	}
	var ex *clickhouse.Exception
	if errors.As(err, &ex) {
		if k, ok := kindByCode[ex.Code]; ok {
			return k
		}
		return Query
	}
	var conv *column.ColumnConverterError
	if errors.As(err, &conv) || errors.Is(err, clickhouse.ErrBatchInvalid) {
		return Value
	}
	var netErr net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, clickhouse.ErrAcquireConnTimeout) ||
		errors.As(err, &netErr) && netErr.Timeout() {
		return Timeout
	}
	var httpErr *clickhouse.HTTPError
	if errors.As(err, &httpErr) {
		switch httpErr.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return Refused
		case http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge:
			return Query
		}
		return Unavailable
	}
	return Unavailable
}

// errValue marks a row that this package itself refuses to send.
var errValue = errors.New("value cannot be stored")

// kindByCode classifies ClickHouse's error codes (src/Common/ErrorCodes.cpp). Codes that are not listed are Query: the
// server understood the request and says no.
var kindByCode = map[int32]Kind{
	// The row's fault.
	6:   Value, // CANNOT_PARSE_TEXT
	26:  Value, // CANNOT_PARSE_QUOTED_STRING
	27:  Value, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	38:  Value, // CANNOT_PARSE_DATE
	41:  Value, // CANNOT_PARSE_DATETIME
	53:  Value, // TYPE_MISMATCH
	69:  Value, // ARGUMENT_OUT_OF_BOUND
	70:  Value, // CANNOT_CONVERT_TYPE
	72:  Value, // CANNOT_PARSE_NUMBER
	117: Value, // INCORRECT_DATA
	128: Value, // TOO_LARGE_ARRAY_SIZE
	131: Value, // TOO_LARGE_STRING_SIZE
	190: Value, // SIZES_OF_ARRAYS_DONT_MATCH
	321: Value, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	349: Value, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	407: Value, // DECIMAL_OVERFLOW
	469: Value, // VIOLATED_CONSTRAINT
	760: Value, // UNICODE_ERROR
	// The server's state, or the way to it.
	3:    Unavailable, // UNEXPECTED_END_OF_FILE
	23:   Unavailable, // CANNOT_READ_FROM_ISTREAM
	24:   Unavailable, // CANNOT_WRITE_TO_OSTREAM
	32:   Unavailable, // ATTEMPT_TO_READ_AFTER_EOF
	33:   Unavailable, // CANNOT_READ_ALL_DATA
	74:   Unavailable, // CANNOT_READ_FROM_FILE_DESCRIPTOR
	75:   Unavailable, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
	76:   Unavailable, // CANNOT_OPEN_FILE
	95:   Unavailable, // CANNOT_READ_FROM_SOCKET
	96:   Unavailable, // CANNOT_WRITE_TO_SOCKET
	173:  Unavailable, // CANNOT_ALLOCATE_MEMORY
	198:  Unavailable, // DNS_ERROR
	201:  Unavailable, // QUOTA_EXCEEDED
	202:  Unavailable, // TOO_MANY_SIMULTANEOUS_QUERIES
	204:  Unavailable, // CANNOT_FSYNC
	210:  Unavailable, // NETWORK_ERROR
	225:  Unavailable, // NO_ZOOKEEPER
	236:  Unavailable, // ABORTED
	241:  Unavailable, // MEMORY_LIMIT_EXCEEDED
	242:  Unavailable, // TABLE_IS_READ_ONLY: a replica that lost its keeper
	243:  Unavailable, // NOT_ENOUGH_SPACE
	244:  Unavailable, // UNEXPECTED_ZOOKEEPER_ERROR
	252:  Unavailable, // TOO_MANY_PARTS
	254:  Unavailable, // NO_ACTIVE_REPLICAS
	285:  Unavailable, // TOO_FEW_LIVE_REPLICAS
	286:  Unavailable, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
	290:  Unavailable, // LIMIT_EXCEEDED
	294:  Unavailable, // CANNOT_WRITE_TO_FILE
	319:  Unavailable, // UNKNOWN_STATUS_OF_INSERT: repeated with its token
	364:  Unavailable, // RECEIVED_ERROR_TOO_MANY_REQUESTS
	394:  Unavailable, // QUERY_WAS_CANCELLED
	425:  Unavailable, // SYSTEM_ERROR
	439:  Unavailable, // CANNOT_SCHEDULE_TASK
	473:  Unavailable, // DEADLOCK_AVOIDED
	517:  Unavailable, // CANNOT_ASSIGN_ALTER: another change is under way
	692:  Unavailable, // TOO_MANY_MUTATIONS
	735:  Unavailable, // QUERY_WAS_CANCELLED_BY_CLIENT
	745:  Unavailable, // SERVER_OVERLOADED
	749:  Unavailable, // TCP_CONNECTION_LIMIT_REACHED
	762:  Unavailable, // HTTP_CONNECTION_LIMIT_REACHED
	999:  Unavailable, // KEEPER_EXCEPTION
	1000: Unavailable, // POCO_EXCEPTION
	1001: Unavailable, // STD_EXCEPTION
	1002: Unavailable, // UNKNOWN_EXCEPTION
	// No answer in time.
	159: Timeout, // TIMEOUT_EXCEEDED
	209: Timeout, // SOCKET_TIMEOUT
	// Rights.
	164: Refused, // READONLY
	192: Refused, // UNKNOWN_USER
	193: Refused, // WRONG_PASSWORD
	194: Refused, // REQUIRED_PASSWORD
	195: Refused, // IP_ADDRESS_NOT_ALLOWED
	291: Refused, // DATABASE_ACCESS_DENIED
	497: Refused, // ACCESS_DENIED
	516: Refused, // AUTHENTICATION_FAILED
}
