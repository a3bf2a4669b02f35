package bencode

// Cursor walks the items of a list or the entries of a dict, in the order of
// their encoding. It does not allocate. The zero Cursor has nothing to walk.
//
//	for c := v.Cursor(); c.Next(); {
//		use(c.Key(), c.Value())
//	}
//
// A Cursor is used by one goroutine at a time. A copy goes on by itself from
// where the original was.
type Cursor struct {
	rest  []byte // what follows the current item, up to and with the closing 'e'
	key   []byte
	value Value
	dict  bool
}

// Cursor returns a cursor before the first item of v. If v is not a list or a
// dict, there are no items.
func (v Value) Cursor() Cursor {
	switch v.Kind() {
	case List:
		return Cursor{rest: v[1:]}
	case Dict:
		return Cursor{rest: v[1:], dict: true}
	}
	return Cursor{}
}

// Next moves to the next item and reports whether there is one.
func (c *Cursor) Next() bool {
	if !c.dict || c.nextKey() {
		if n := skip(c.rest); n > 0 {
			c.value, c.rest = c.rest[:n:n], c.rest[n:]
			return true
		}
	}
	*c = Cursor{}
	return false
}

// nextKey moves behind the next key and reports whether there is one.
func (c *Cursor) nextKey() bool {
	if len(c.rest) == 0 || !isDigit(c.rest[0]) {
		return false
	}
	start, end, reason := stringAt(c.rest, 0)
	if reason != "" {
		return false
	}
	c.key, c.rest = c.rest[start:end:end], c.rest[end:]
	return true
}

// Key returns the key of the current entry, aliasing the document. It is nil
// in a list, and before the first and after the last call of Next.
func (c *Cursor) Key() []byte { return c.key }

// Value returns the current item, aliasing the document. It is nil before the
// first and after the last call of Next.
func (c *Cursor) Value() Value { return c.value }
