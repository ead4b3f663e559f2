// Package dropfolder imports the files that people put into a folder. A file that is complete is imported once and
// moved to done or failed below the folder, with a report and its refused rows beside it; one that is still being
// copied, or is open in a spreadsheet program, waits. The same content again is recognised and moved with a note.
//
// Nothing rests on memory: a file that is still in the folder after a crash is imported again, and since the ids of its
// events are the same, nothing is counted twice. Log lines name no file, row or cell: a file is told by the beginning
// of its SHA-256, which its report states.
package dropfolder
