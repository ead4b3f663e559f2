// Package engine is the map of the embedded ClickHouse, and owns the two files of its data folder that a client on the
// same machine reads: the key and the address. The database is ClickHouse as a shared library (chDB), so that one SQL
// dialect and one client serve a single centre without a database server and a province with one.
//
//   - install brings libchdb.so into the user's cache folder and finds it there.
//   - chdb binds the library at run time, without cgo.
//   - server opens a data folder and serves it over ClickHouse's own HTTP interface: the body of `monev112 engine`.
//   - child keeps `monev112 engine` running as a process of its own.
//   - filepages gives back what only the start of a program needed of its own files; the service does so as well.
//
// None of them looks into the tables that it serves.
package engine
