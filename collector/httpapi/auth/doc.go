// Package auth owns the API keys: who may write events, read the board or read one OPD's tickets.
//
// A key is 32 random bytes that its holder sends as "Authorization: Bearer ...". The file keeps only the SHA-256 of it:
// against 256 bits of randomness a slow hash adds nothing, and each request would pay for it. The file lies in the data
// folder with mode 0600; a file that others can read is refused. A running service reads it again when it changes, so
// that a key can be created or revoked without a restart.
//
// While no key was ever created in a data folder, authentication is disabled: CheckListen says what that allows. Once a
// key was created, every request needs one, also when all keys are revoked or expired, or the file is gone.
package auth
