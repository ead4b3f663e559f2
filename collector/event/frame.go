package event

import "bytes"

// frame is where one event is in the body of a request, found by matching brackets outside of strings. That is enough
// to know where a broken event ends, so that the next one is not lost with it; whether a frame is JSON is checked
// later.
type frame struct {
	start, end int
	depth      int
}

// arrayFrames cuts a JSON array into its elements. rest is where it could not be read on, or -1 when the array and the
// body end together.
func arrayFrames(dst []frame, body []byte, limit int) (frames []frame, rest int) {
	frames = dst
	p := skipSpace(body, 0)
	if p == len(body) || body[p] != '[' {
		return frames, p
	}
	p = skipSpace(body, p+1)
	if p < len(body) && body[p] == ']' {
		return frames, afterEnd(body, p+1)
	}
	for {
		end, depth := valueEnd(body, p)
		if end < 0 {
			return frames, p
		}
		frames = append(frames, frame{p, end, depth})
		if len(frames) > limit {
			return frames, -1
		}
		p = skipSpace(body, end)
		if p == len(body) {
			return frames, p
		}
		switch body[p] {
		case ',':
			p = skipSpace(body, p+1)
		case ']':
			return frames, afterEnd(body, p+1)
		default:
			return frames, p
		}
	}
}

// lineFrames cuts an NDJSON body into its lines and leaves out blank ones.
func lineFrames(dst []frame, body []byte, limit int) []frame {
	for p := 0; p < len(body) && len(dst) <= limit; {
		end := len(body)
		if n := bytes.IndexByte(body[p:], '\n'); n >= 0 {
			end = p + n
		}
		from := skipSpace(body[:end], p)
		if line := bytes.TrimRight(body[from:end], " \r\t"); len(line) > 0 {
			dst = append(dst, frame{from, from + len(line), depthOf(line)})
		}
		p = end + 1
	}
	return dst
}

// valueEnd returns the position after the value that starts at p and how deep it nests; end is -1 when it does not end.
func valueEnd(b []byte, p int) (end, deepest int) {
	if p == len(b) {
		return -1, 0
	}
	switch b[p] {
	case '{', '[':
		return brackets(b, p, true)
	case '"':
		return stringEnd(b, p), 0
	}
	from := p
	for p < len(b) && b[p] != ',' && b[p] != ']' && b[p] != '}' && !isSpace(b[p]) {
		p++
	}
	if p == from {
		return -1, 0
	}
	return p, 0
}

// depthOf returns how deep b nests, also when its brackets do not match.
func depthOf(b []byte) int {
	_, deepest := brackets(b, 0, false)
	return deepest
}

// brackets counts the brackets outside of strings from p on, to where the first of them is closed or to the end of b.
// end is the position after that, -1 at the end of b.
func brackets(b []byte, p int, first bool) (end, deepest int) {
	for depth := 0; p < len(b); p++ {
		switch b[p] {
		case '"':
			if p = stringEnd(b, p); p < 0 {
				return -1, deepest
			}
			p--
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			if depth--; depth == 0 && first {
				return p + 1, deepest
			}
		}
	}
	return -1, deepest
}

// stringEnd returns the position after the string that starts at p, or -1.
func stringEnd(b []byte, p int) int {
	for p++; p < len(b); p++ {
		switch b[p] {
		case '"':
			return p + 1
		case '\\':
			p++
		}
	}
	return -1
}

func afterEnd(b []byte, p int) int {
	if p = skipSpace(b, p); p < len(b) {
		return p
	}
	return -1
}

func skipSpace(b []byte, p int) int {
	for p < len(b) && isSpace(b[p]) {
		p++
	}
	return p
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
