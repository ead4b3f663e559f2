// Package whatsapp speaks the WhatsApp Business Cloud API: it sends approved templates, reads the statuses that come
// back by webhook, and writes the templates that an office submits to Meta. It keeps nothing and decides nothing: whom
// to tell, when, and what to do after an error is the package delivery's.
//
// Only templates are sent: free text outside of the 24 hours after a person's own message is refused (code 131047).
// "Accepted" is not delivered: a message is delivered when a status says so, signed by Meta.
//
// No error, and nothing that is returned for logs, holds a telephone number.
package whatsapp
