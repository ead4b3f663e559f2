package event

// Limits of what may enter. Bytes are bytes of UTF-8.
const (
	MaxIDBytes        = 128        // id, subject, replaces, master, one element of calls
	MaxSourceBytes    = 128        // source
	MaxNameBytes      = 128        // opd, kecamatan, category: names or codes
	MaxCodeBytes      = 64         // agent, center
	MaxWordBytes      = 40         // queue, position, channel, class, priority, reason, result
	MaxTextDigits     = 6          // digits of a text that is neither an id nor a time: a telephone number has more
	MaxCallerBytes    = 64         // the raw caller, before it is replaced
	MaxCalls          = 256        // elements of calls
	MaxCarries        = 64         // elements of carries
	MaxAttributes     = 32         // allowed attributes of one event
	MaxAttributeBytes = 256        // value of one attribute
	MaxRecordMembers  = 32         // members of record
	MaxRecordRunes    = 2000       // characters of a text of the office
	MaxFormBytes      = 32 << 10   // data of a form
	MaxKeyBytes       = 64         // a key name that is reported as dropped; longer ones are reported as OtherKey
	MaxDropped        = 64         // different dropped key names of one batch; further ones are counted as OtherKey
	MaxEventBytes     = 64 << 10   // one event as it was sent
	MaxBatchEvents    = 10_000     // events of one request
	MaxDepth          = 8          // nesting of one event; its own object is 1
	MaxDurationMS     = 86_400_000 // ring_ms, wait_ms: a day
	MaxFutureSeconds  = 300        // how far time may be after now
	MinYear           = 2000       // time and due are in this year or later
	MaxYear           = 2099       // due is in this year or earlier

	maxSubjectBytes = MaxIDBytes + len("ticket/")
)

// OtherKey counts the dropped keys that are not reported by name.
const OtherKey = "other"
