// Package imports owns the page /impor, on which a person hands over an office's file: it shows what each column was
// taken for with a menu over it, what each row becomes, and what the file comes to in a month's figures, and sends it.
// What it does is done by source/upload, as the commands map and import do it.
package imports
