package peerwire

// Extensions are the eight reserved bytes of the handshake: one bit for each extension of the protocol its sender speaks.
// Bits this package does not name are kept and mean nothing to it. The zero value is plain BEP 3.
type Extensions [8]byte

// Extension is one of the 64 reserved bits, counted from the highest bit of the first byte. Only the low six bits count.
type Extension uint8

// The reserved bits this package names.
const (
	ExtensionProtocol Extension = 43 // byte 5, mask 0x10: Extended frames (BEP 10)
	Fast              Extension = 61 // byte 7, mask 0x04: the fast extension, in force when both sides set it (BEP 6)
	DHT               Extension = 63 // byte 7, mask 0x01: the sender runs a DHT node and takes Port frames (BEP 5)
)

// NewExtensions returns Extensions with exactly these bits set.
func NewExtensions(set ...Extension) Extensions {
	var x Extensions
	for _, e := range set {
		x.Set(e)
	}
	return x
}

// Has reports whether bit e is set.
func (x Extensions) Has(e Extension) bool { return x[e>>3&7]&e.mask() != 0 }

// Set sets bit e.
func (x *Extensions) Set(e Extension) { x[e>>3&7] |= e.mask() }

func (e Extension) mask() byte { return 0x80 >> (e & 7) }
