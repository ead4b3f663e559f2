// Package home owns the first page: what runs, whether its data is complete and since when, and the way to everything
// else that the reader may see.
package home
