// Package meeting owns the pages /monev and /monev/<month>: the months of a centre with their indicators, and of each
// its report as it was handed out, or as it would be. It computes nothing: monev/report does.
package meeting
