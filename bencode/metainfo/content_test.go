package metainfo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// newContent returns the bytes that the vectors call content(label, size):
// SHA-256(label || uint32be counter) for counter 0, 1, 2, ..., joined and cut.
func newContent(label string, size int64) io.Reader {
	return io.LimitReader(&contentReader{label: label}, size)
}

// contentBytes returns all of newContent.
func contentBytes(label string, size int64) []byte {
	b, err := io.ReadAll(newContent(label, size))
	if err != nil {
		panic(err)
	}
	return b
}

type contentReader struct {
	label   string
	counter uint32
	rest    bytes.Reader
}

func (r *contentReader) Read(p []byte) (int, error) {
	if r.rest.Len() == 0 {
		block := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(r.label), r.counter))
		r.counter++
		r.rest.Reset(block[:])
	}
	return r.rest.Read(p)
}
