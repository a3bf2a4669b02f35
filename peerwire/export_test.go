package peerwire

// BufferLen returns the memory that d holds for frames.
func (d *Decoder) BufferLen() int { return len(d.buf) }

// DefaultBuffer is the buffer of an idle peer.
const DefaultBuffer = defaultBuffer
