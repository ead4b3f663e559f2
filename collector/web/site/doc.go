// Package site puts the pages of package web together: it makes the site that whoever signs in sees and the pages
// behind links, from the parts of one service. A new page is mounted here.
package site
