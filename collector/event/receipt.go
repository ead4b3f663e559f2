package event

// Receipt says what became of the events of one request, once the accepted ones are on stable storage. As JSON it is
// the answer of POST /v1/events.
type Receipt struct {
	Accepted   int       `json:"accepted"`
	Duplicates int       `json:"duplicates"` // accepted before, with the same content
	Rejected   []Refusal `json:"rejected"`   // by Index
	// Reduced are accepted events of which something was left out, since a case has no room for it; by Index.
	Reduced []Refusal `json:"reduced,omitempty"`
}
