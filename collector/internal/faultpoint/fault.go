package faultpoint

// Fault is how a call to the disk fails: with Err, after Part (from 0 to 1) of a write was done.
type Fault struct {
	Err  error
	Part float64
}
