// Package engine runs an embedded ClickHouse and serves it over ClickHouse's own HTTP interface, so that one SQL
// dialect and one client serve a single centre without a database server and a province with one.
//
// The database is chDB: libchdb.so, the ClickHouse engine as a shared library, brought by Install and bound at run time
// without cgo. A program without the library still starts; Open then says so. One process holds one engine and one data
// folder: the library allows no more.
//
// # Who may do what
//
// A request that carries the engine key (a file in the data folder, mode 0600) may do everything, on connections of its
// own. Every other request runs on reader connections: ClickHouse's readonly=1, one statement, bounded in time, memory,
// rows and number, settings in the URL ignored, and functions that touch files or the network refused by name (readonly
// alone does not stop them: see guard.go). Requests that name a foreign host or come from a foreign web page are
// refused.
//
// # What acknowledged means
//
// An insert is answered after its part is written, fsynced and renamed, and the part's folder is fsynced
// (fsync_after_insert, fsync_part_directory for every MergeTree table): it survives kill -9 and a power cut.
//
// The package never looks into the tables it serves.
package engine
