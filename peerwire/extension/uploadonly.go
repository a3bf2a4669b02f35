package extension

// UploadOnly says whether the sender wants no more pieces, and replaces what its handshake said (BEP 21 knows the handshake's
// key only; the message is custom).
//
//	00 or 01
type UploadOnly bool

// AppendTo appends the payload of u: 1 byte.
func (u UploadOnly) AppendTo(dst []byte) []byte {
	if u {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// ParseUploadOnly reads the payload of upload_only; any byte but 0 is true. The error is a [*PayloadError].
func ParseUploadOnly(payload []byte) (UploadOnly, error) {
	if len(payload) != 1 {
		return false, &PayloadError{Message: UploadOnlyName.String(), Reason: "not 1 byte"}
	}
	return payload[0] != 0, nil
}
