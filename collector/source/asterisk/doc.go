// Package asterisk turns the queue_log of an Asterisk telephone system into events.
//
// Its core is pure: ParseLine reads one line, and a Mapper says what a line means, knowing the calls and agents of the
// lines before it. Around it, a Follower tails the file through rotations and restarts and submits the events: to the
// collector of its own process, or to a Spool, from which a Relay brings them to a collector elsewhere. Once reads
// whole files, and dumps of a database table that holds a log.
//
// Ids are computed from the log alone, so that reading a file again changes nothing. A malformed line never stops the
// reading; it is counted and its place is logged, never its content, which may hold a caller's number. A caller's
// number goes only into an event's caller field, and an agent's name goes nowhere: a code goes in its place (see
// Names).
//
// The package invents nothing: a call whose end the log does not tell has no end.
package asterisk
