// Package server opens a ClickHouse data folder and serves it over ClickHouse's own HTTP interface. One process holds
// one data folder: the library allows no more. A program without the library starts; Open then says so.
//
// # Who may do what
//
// A request that carries the engine key may do everything, on connections of its own. Every other request runs on
// reader connections: ClickHouse's readonly=1, one statement, bounded in time, memory, rows and number. Settings in its
// URL are honoured where they reach no bound and refused otherwise (settings.go); functions that touch files or the
// network are refused by name (readonly alone does not stop them: see guard.go). Requests that name a foreign host or
// come from a foreign web page are refused, and the address is always a loopback one.
//
// # What acknowledged means
//
// An insert is answered after its part is written, fsynced and renamed, and the part's folder is fsynced
// (fsync_after_insert, fsync_part_directory for every MergeTree table): it survives kill -9 and a power cut.
package server
