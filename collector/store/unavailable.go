package store

// UnavailableError says why something that needs ClickHouse cannot be done now.
type UnavailableError struct {
	Reason string // a sentence for people
	Err    error  // for the log; may be nil
}

// Error implements error.
func (e *UnavailableError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

// Unwrap returns Err.
func (e *UnavailableError) Unwrap() error { return e.Err }

// ErrNotReady says that ClickHouse has not answered since the start.
var ErrNotReady = &UnavailableError{
	Reason: "ClickHouse is not ready yet: it is still starting, or it cannot be reached.",
}
