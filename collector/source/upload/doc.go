// Package upload owns the files that people hand over on a page: it takes one in, proposes a mapping, shows what an
// import would do, and imports it, one file at a time. What it does is what the commands map and import do, by the same
// code; it decides nothing of its own but where files lie and for how long.
//
// Uploaded files hold personal data. They lie in a folder that this user alone may open, are bounded in size and
// number, and are removed when they are imported, when they are old, and when the service starts.
package upload
