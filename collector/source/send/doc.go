// Package send brings events to a collector in batches. A Submitter takes one batch: Client is the one over HTTP, and
// the service hands those of its own sources to its intake. A Stream gathers single events into batches.
//
// A batch is answered as a whole: every event of it was accepted, was a duplicate, or was rejected with a reason. What
// may work later (429, 502, 503, 504, a lost connection, a timeout) is submitted again, unchanged; since source and id
// identify an event, that never counts it twice. What cannot work later (a wrong key, a wrong address, another kind of
// server) ends the sending with one error that says what to do.
//
// Memory is bounded by the size of a batch and the number of batches under way.
package send
