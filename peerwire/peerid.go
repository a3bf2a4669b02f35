package peerwire

import (
	"log/slog"
	"strings"
)

// PeerID is the name a peer gives itself (BEP 3): 20 bytes, by custom a client's code and version, then random (BEP 20).
// It proves nothing: any peer can take any id, and libtorrent draws a new one for each connection.
type PeerID [20]byte

// peerIDAlphabet has 64 letters that a URL carries unescaped, so that announces stay short.
const peerIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// NewPeerID returns prefix, "-XY0100-" in the style of BEP 20, followed by letters and digits drawn from random, six bits
// of each byte. A prefix over 20 bytes is cut. random should be 20-len(prefix) bytes from crypto/rand; a shorter one starts
// over, none at all draws the first letter. Clients drop a second connection with an id they already see, so no two
// processes may share one.
func NewPeerID(prefix string, random []byte) PeerID {
	var id PeerID
	n := copy(id[:], prefix)
	for i := range id[n:] {
		var b byte
		if len(random) > 0 {
			b = random[i%len(random)]
		}
		id[n+i] = peerIDAlphabet[b%64]
	}
	return id
}

// String returns the id as text that is safe to print: bytes that are not printable ASCII, and the backslash, as \xNN.
func (id PeerID) String() string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for _, c := range id {
		if c < ' ' || c > '~' || c == '\\' {
			b.Write([]byte{'\\', 'x', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// LogValue logs the id as [PeerID.String] writes it.
func (id PeerID) LogValue() slog.Value { return slog.StringValue(id.String()) }
