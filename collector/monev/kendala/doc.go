// Package kendala says why calls and tickets were late, in two exact sums.
//
// Partition: each failing case of an indicator has exactly one cause, the first that fits (CallCauses, TicketCauses),
// so that causes add up to the failing cases; what no cause explains is shown as such. Change: the difference of a
// share between two periods is the sum of a mix and a rate effect (Explain). Both are functions of their arguments. The
// views monev_kendala... say the same of the partition in SQL, and Runner compares the two when asked. The package
// stores nothing and judges no clock: who was late is sla's word.
package kendala
