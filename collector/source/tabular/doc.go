// Package tabular turns a file into rows of cells: CSV in its many forms, packed or not, and the sheets of workbooks.
// It finds the header that a layout describes and the rows below it, under limits of memory. What the cells mean is not
// its concern: it knows nothing of events.
package tabular
