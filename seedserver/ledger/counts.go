package ledger

import "encoding/json"

// Bytes is what was sent, by class.
type Bytes [NumClasses]int64

// Sum returns the bytes of all classes.
func (b Bytes) Sum() (n int64) {
	for _, of := range b {
		n += of
	}
	return n
}

// Torrent returns the bytes sent to BitTorrent clients: all but ClassHTTP.
func (b Bytes) Torrent() int64 { return b.Sum() - b[ClassHTTP] }

// MarshalJSON returns an object with the bytes of every class under its name.
func (b Bytes) MarshalJSON() ([]byte, error) {
	named := make(map[string]int64, NumClasses)
	for i, of := range b {
		named[Class(i).String()] = of
	}
	return json.Marshal(named)
}

// Counts is what is counted of an entry, or of all of them, in a span of time.
// Counts of shorter spans add up to those of longer ones.
type Counts struct {
	// Sent is the payload that left: blocks, pieces of the info dict, file
	// content. Headers of the protocols, pages and the tracker's answers are
	// not counted.
	Sent Bytes

	// Completed is the downloads that ended: a client told the tracker so, or
	// that it lacks nothing any more. It is their word. CompletedBytes is the size that each of them had, added
	// up: what HTTP would have sent for them.
	Completed, CompletedBytes int64

	// Peers is the addresses seen on one day at one entry: in connections and
	// announces, an IPv6 network of 64 bits as one. It is added up over days
	// and entries, so who comes on two days counts twice. Above some hundred a
	// day it is an estimate.
	Peers int64
}

// Saved returns the bytes that HTTP would have sent for the completed downloads
// less the bytes that were sent to BitTorrent clients. What was sent by plain
// HTTP does not matter: it would have been the same. It is negative while more
// was sent than downloads have ended, as in the first hour of a new file.
func (c Counts) Saved() int64 { return c.CompletedBytes - c.Sent.Torrent() }

// MarshalJSON returns an object with the names of the fields in lower case, and
// the sums: "total" of what was sent, and "saved".
func (c Counts) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Sent           Bytes `json:"sent"`
		Total          int64 `json:"total"`
		Completed      int64 `json:"completed"`
		CompletedBytes int64 `json:"completed_bytes"`
		Saved          int64 `json:"saved"`
		Peers          int64 `json:"peers"`
	}{c.Sent, c.Sent.Sum(), c.Completed, c.CompletedBytes, c.Saved(), c.Peers})
}

func (c *Counts) add(o *Counts) {
	for i, n := range o.Sent {
		c.Sent[i] += n
	}
	c.Completed += o.Completed
	c.CompletedBytes += o.CompletedBytes
	c.Peers += o.Peers
}

// values returns the numbers in the order of countColumns.
func (c *Counts) values() []any {
	vs := make([]any, 0, len(countColumns))
	for _, n := range c.Sent {
		vs = append(vs, n)
	}
	return append(vs, c.Completed, c.CompletedBytes, c.Peers)
}

// fields returns where to scan the columns countColumns.
func (c *Counts) fields() []any {
	fs := make([]any, 0, len(countColumns))
	for i := range c.Sent {
		fs = append(fs, &c.Sent[i])
	}
	return append(fs, &c.Completed, &c.CompletedBytes, &c.Peers)
}

// countColumns are the columns of the table traffic that make up Counts.
var countColumns = append(classNames[:len(classNames):len(classNames)], "completed", "completed_bytes", "peers")
