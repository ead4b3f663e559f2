// Package send is the HTTP client of a monev112 server's door: it posts CloudEvents in batches and keeps at it.
//
// A batch is answered whole: every event of it was accepted, was known already, or was refused with a reason. What may
// work later (429, 502, 503, 504, a lost connection, a timeout) is sent again, unchanged; since source and id make an
// event known, sending again never counts it twice. What cannot work later (a wrong key, a wrong address, another kind
// of server) ends the sending with one error that says what to do.
//
// Memory is bounded by the size of a batch and the number of batches under way.
package send
