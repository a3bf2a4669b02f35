package storage

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A Record says which pieces of a target were good when it was left, and what its files were then. It spares reading all of
// them again: pieces of files that are as they were are good still.
type Record struct {
	InfoHash [20]byte
	Pieces   []byte  // good ones, as the bytes of a BITFIELD
	Files    []Stamp // of each file; zero where there was none
}

// ErrRecord is wrapped by the error of a record that is damaged, or of another version.
var ErrRecord = errors.New("storage: damaged record")

const (
	recordHead = "seedserver resume 1\n"
	maxRecord  = 64 << 20 // bytes
)

// Save writes the record to a file below root, in whole or not at all.
func (r *Record) Save(root *os.Root, name string) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	sum := sha1.Sum(body)
	data := fmt.Appendf(nil, "%s%x\n%s\n", recordHead, sum, body)
	temporary := name + ".tmp"
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("saving what is done: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		root.Remove(temporary)
		return fmt.Errorf("saving what is done: %w", err)
	}
	return nil
}

// LoadRecord reads what [Record.Save] wrote. It fails with [ErrRecord] if that is damaged, and with [io/fs.ErrNotExist] if it is
// not there.
func LoadRecord(root *os.Root, name string) (*Record, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, err
	}
	return parseRecord(data)
}

// parseRecord reads the bytes of a record: the head, the SHA-1 of the body in hex, the body in JSON.
func parseRecord(data []byte) (*Record, error) {
	const head = len(recordHead) + 2*sha1.Size + 1
	if len(data) <= head || len(data) > maxRecord || string(data[:len(recordHead)]) != recordHead {
		return nil, ErrRecord
	}
	body := data[head : len(data)-1]
	if fmt.Sprintf("%x\n", sha1.Sum(body)) != string(data[len(recordHead):head]) {
		return nil, ErrRecord
	}
	r := new(Record)
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return r, nil
}

// Trusted returns of which pieces is known, without reading them, whether they are good: of those whose files are as r has them.
// If r is of another torrent, or nil, it is known of none. A piece of which a file does not hold all is not good, whatever r says.
func (t *Target) Trusted(infohash [20]byte, pieceLength int64, r *Record) func(piece int) (good, known bool) {
	if r == nil || r.InfoHash != infohash || len(r.Files) != len(t.files) || pieceLength <= 0 {
		return func(int) (good, known bool) { return false, false }
	}
	n := int((t.length + pieceLength - 1) / pieceLength)
	if len(r.Pieces) != (n+7)/8 {
		return func(int) (good, known bool) { return false, false }
	}
	changed := make([]bool, n) // pieces that touch a file that is not as it was, or that ends before
	for i, s := range t.Stamps() {
		f := &t.files[i]
		from := int64(0)
		if s == r.Files[i] {
			from = s.Size
		}
		if f.Pad || from >= f.Length {
			continue
		}
		for p := (f.offset + from) / pieceLength; p <= (f.offset+f.Length-1)/pieceLength; p++ {
			changed[p] = true
		}
	}
	return func(p int) (good, known bool) { return !changed[p] && r.Pieces[p/8]<<(p%8)&0x80 != 0, !changed[p] }
}
