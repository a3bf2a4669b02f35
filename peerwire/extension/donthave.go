package extension

import "encoding/binary"

// DontHave takes a Have back: the sender no longer has piece Index (BEP 54).
//
//	index uint32
type DontHave struct{ Index uint32 }

// AppendTo appends the payload of d: 4 bytes.
func (d DontHave) AppendTo(dst []byte) []byte { return binary.BigEndian.AppendUint32(dst, d.Index) }

// ParseDontHave reads the payload of lt_donthave. Index may be any number. The error is a [*PayloadError].
func ParseDontHave(payload []byte) (DontHave, error) {
	if len(payload) != 4 {
		return DontHave{}, &PayloadError{Message: DontHaveName.String(), Reason: "not 4 bytes"}
	}
	return DontHave{Index: binary.BigEndian.Uint32(payload)}, nil
}
