// Package keyfile owns how secrets lie in files: it reads a file that nobody else may open, changes one whole or not at
// all, and follows one that changes under a running service. What a file says is its caller's business.
package keyfile
