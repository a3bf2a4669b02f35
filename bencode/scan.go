package bencode

import "bytes"

// frame is an open list or dict: the bounds of the last key, the least a dict
// needs to know that the next one is greater. No key starts before offset 3,
// which leaves the lower starts to mark what has no last key.
type frame struct{ start, end uint32 }

const (
	startList  = 0 // a list
	startEmpty = 1 // a dict before its first key
)

// scanner checks one value. It keeps its own stack of open lists and dicts,
// because the input decides how deep that gets.
type scanner struct {
	b         []byte
	lenient   bool
	cut       bool // b is the input up to the size limit, and there is more
	maxDepth  int
	maxTokens int
	tokens    int

	// The lists and dicts that are open, outermost first. Those that fixed has
	// no room for are in deep, which a slice of both together would do without,
	// but then the compiler would move fixed to the heap.
	depth int
	fixed [defaultMaxDepth]frame
	deep  []frame
}

// top returns the innermost open list or dict. There must be one.
func (s *scanner) top() *frame {
	if s.depth <= len(s.fixed) {
		return &s.fixed[s.depth-1]
	}
	return &s.deep[s.depth-len(s.fixed)-1]
}

// scan returns the length of the value at the start of b.
func (o Options) scan(b []byte) (n int, err error) {
	s := scanner{b: b, lenient: o.Lenient, maxDepth: o.maxDepth(), maxTokens: o.maxTokens()}
	if size := o.maxSize(); len(b) > size {
		s.b, s.cut = b[:size], true
	}
	for {
		if n, err = s.step(n); err != nil {
			return 0, err
		}
		if s.depth == 0 {
			return n, nil
		}
	}
}

// step takes the next step at offset i and returns the offset behind it: it
// closes the innermost list or dict, or else reads the start of the next value,
// in a dict after its key.
func (s *scanner) step(i int) (end int, err error) {
	if s.depth > 0 {
		if i < len(s.b) && s.b[i] == 'e' {
			s.depth--
			return i + 1, nil
		}
		if top := s.top(); top.start != startList {
			if i, err = s.key(i, top); err != nil {
				return 0, err
			}
		}
	}
	if i == len(s.b) {
		return 0, s.fail(i, reasonEnd)
	}
	switch c := s.b[i]; {
	case isDigit(c):
		_, end, err = s.str(i)
		return end, err
	case c == 'i':
		return s.integer(i)
	case c == 'l':
		return s.enter(i, startList)
	case c == 'd':
		return s.enter(i, startEmpty)
	}
	return 0, &SyntaxError{i, reasonStart}
}

// enter opens the list or dict at offset i.
func (s *scanner) enter(i int, start uint32) (end int, err error) {
	if s.depth == s.maxDepth {
		return 0, &LimitError{i, "depth", s.maxDepth}
	}
	s.depth++
	if s.depth > len(s.fixed)+len(s.deep) {
		s.deep = append(s.deep, frame{})
	}
	*s.top() = frame{start: start}
	return i + 1, s.count(i)
}

// key checks the key at offset i of the dict d and makes it the last one.
func (s *scanner) key(i int, d *frame) (end int, err error) {
	if i < len(s.b) && !isDigit(s.b[i]) {
		return 0, &SyntaxError{i, reasonKey}
	}
	start, end, err := s.str(i)
	if err != nil {
		return 0, err
	}
	if d.start != startEmpty && !s.lenient {
		// BEP 3: "Keys must be strings and appear in sorted order (sorted as
		// raw strings, not alphanumerics)."
		switch order := bytes.Compare(s.b[d.start:d.end], s.b[start:end]); {
		case order == 0:
			return 0, &SyntaxError{i, reasonDuplicate}
		case order > 0:
			return 0, &SyntaxError{i, reasonUnsorted}
		}
	}
	*d = frame{uint32(start), uint32(end)}
	return end, nil
}

// integer checks the integer at offset i.
func (s *scanner) integer(i int) (end int, err error) {
	end, reason := integerAt(s.b, i)
	if reason != "" {
		return 0, s.fail(i, reason)
	}
	if !s.lenient {
		// BEP 3: "i-0e is invalid. All encodings with a leading zero, such as
		// i03e, are invalid, other than i0e".
		digits := s.b[i+1 : end-1]
		if digits[0] == '-' && digits[1] == '0' || digits[0] == '0' && len(digits) > 1 {
			return 0, &SyntaxError{i, reasonZero}
		}
	}
	return end, s.count(i)
}

// str checks the string at offset i and returns the bounds of its content.
func (s *scanner) str(i int) (start, end int, err error) {
	start, end, reason := stringAt(s.b, i)
	if reason != "" {
		return 0, 0, s.fail(i, reason)
	}
	if s.b[i] == '0' && s.b[i+1] != ':' && !s.lenient {
		return 0, 0, &SyntaxError{i, reasonZeroLen}
	}
	return start, end, s.count(i)
}

// count takes note of the token at offset i.
func (s *scanner) count(i int) error {
	if s.tokens == s.maxTokens {
		return &LimitError{i, "tokens", s.maxTokens}
	}
	s.tokens++
	return nil
}

// fail returns the error for the token at offset i. Where the size limit cut
// the input short, running out of it is that limit's doing.
func (s *scanner) fail(i int, reason string) error {
	if s.cut && (reason == reasonEnd || reason == reasonPastEnd) {
		return &LimitError{len(s.b), "size", len(s.b)}
	}
	return &SyntaxError{i, reason}
}
