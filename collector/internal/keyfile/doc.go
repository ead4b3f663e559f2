// Package keyfile owns how secrets lie in files: it reads a file that nobody else may open, changes one whole or not at
// all, follows one that changes under a running service, and records by their ids which keys a data folder was used
// with, so that lost ones are never replaced in silence. What a file says is its caller's business.
package keyfile
