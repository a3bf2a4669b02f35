package admin

import (
	"context"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// Source tells a [Handler] what the server does. Its methods are called by many goroutines at once. What they return is the
// Handler's own.
type Source interface {
	// Status returns the server as it is now. It is called about once a second while somebody watches, and must not wait for a
	// disk.
	Status() Status
	// Ready is that of Status, for who asks for nothing else.
	Ready() bool
	// Sent returns what was sent until now. It is called every ten seconds, watched or not.
	Sent() Sent
	// Torrent returns the details of a torrent, and false when there is none of that infohash. It must not wait for a disk.
	Torrent(h metainfo.InfoHash) (Detail, bool)
	// Sums returns what was sent until now.
	Sums(ctx context.Context) (Sums, error)
	// Accounts returns what was counted in spans of time, in their order.
	Accounts(ctx context.Context, q Query) ([]Account, error)
}

// Status is the server at one moment. The names of its JSON form are those of the API.
type Status struct {
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
	Dir     string    `json:"dir"`   // that is published
	Ready   bool      `json:"ready"` // the directory has been looked at once

	Rate    int64   `json:"rate"`             // payload bytes per second, over the last seconds
	MaxRate int64   `json:"max_rate"`         // the limit of Rate, 0 for none
	Sent    int64   `json:"sent"`             // payload bytes since Started
	Budget  *Budget `json:"budget,omitempty"` // of the month, nil without one
	Peers   int     `json:"peers"`            // connections, seeds among them
	Seeds   int     `json:"seeds"`

	Settling   int   `json:"settling"`    // files and units on their way to being torrents
	Hashing    int   `json:"hashing"`     // of those that are complete
	QueueBytes int64 `json:"queue_bytes"` // that are still to be hashed
	LeftOut    int   `json:"left_out"`
	Failed     int   `json:"failed"` // could not be read or published

	Troubles   []Trouble `json:"troubles,omitempty"` // that last, in the order of About
	ReadErrors int64     `json:"read_errors"`        // reads of what is published that the disk failed, since Started

	DHT *DHT `json:"dht,omitempty"` // nil when the server takes no part in it

	Torrents []Torrent `json:"torrents"` // in the order of paths
}

// Trouble is something that keeps the server from a part of its work, while the rest goes on.
type Trouble struct {
	About string    `json:"about"` // in a word, for alerts
	Text  string    `json:"text"`  // what is the matter and what that means, in sentences
	Error string    `json:"error"` // the last one
	Since time.Time `json:"since"`
}

// Sent is what was sent since the server was started, in payload bytes.
type Sent struct {
	Time     time.Time
	All      int64                       // as in Status
	Torrents map[metainfo.InfoHash]int64 // as in Torrent, of those that sent anything
}

// Budget is how a monthly budget stands.
type Budget struct {
	Bytes       int64     `json:"bytes"`
	Spent       int64     `json:"spent"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Pace        int64     `json:"pace"`         // bytes per second until End
	OnlyReserve bool      `json:"only_reserve"` // blocks are sent slowly, and nothing else
	HTTPBusy    float64   `json:"http_busy"`    // seconds until files are sent over HTTP again, 0 if they are
}

// DHT is our node of the DHT at one moment. Counts are those since it was started.
type DHT struct {
	Tables      []DHTTable `json:"tables"`  // of IPv4 and IPv6
	Lookups     int        `json:"lookups"` // under way
	LookupsDone int64      `json:"lookups_begun"`
	Published   int        `json:"published"` // torrents that are announced
	Overdue     int        `json:"overdue"`   // of them, that should have been announced before
	Announces   int64      `json:"announces"`
	Stores      int64      `json:"stores"` // nodes that took an announce
	Found       int64      `json:"found"`  // peers
	PacketsIn   int64      `json:"packets_in"`
	PacketsOut  int64      `json:"packets_out"`
	BytesIn     int64      `json:"bytes_in"`
	BytesOut    int64      `json:"bytes_out"`
	Answered    int64      `json:"answered"` // queries of others
	Dropped     int64      `json:"dropped"`  // queries of others beyond the limits
	Lost        int64      `json:"lost"`     // our queries that got no answer
}

// DHTTable is our node's table of one address family.
type DHTTable struct {
	Family     string `json:"family"`
	ID         string `json:"id"`
	External   string `json:"external,omitempty"` // our address as others see it
	Contacts   int    `json:"contacts"`
	Good       int    `json:"good"` // of them, that were heard of lately
	Ready      bool   `json:"ready"`
	Infohashes int    `json:"infohashes"` // of others, whose peers are kept here
	Peers      int    `json:"peers"`      // of them
}

// Torrent is one torrent at one moment. It can be compared with ==.
type Torrent struct {
	InfoHash metainfo.InfoHash `json:"infohash"`
	Path     string            `json:"path"`  // from the root of the directory; any bytes but NUL
	Size     int64             `json:"size"`  // bytes
	Entry    int64             `json:"entry"` // its key in Sums.Entries

	Stage      string  `json:"stage"`      // in a word
	Copies     float64 `json:"copies"`     // that connected peers hold together, ours not counted
	Peers      int     `json:"peers"`      // connections, seeds among them
	Seeds      int     `json:"seeds"`      // that want nothing more of anybody
	Interested int     `json:"interested"` // that want something from us
	Unchoked   int     `json:"unchoked"`   // that may request
	Rate       int64   `json:"rate"`       // payload bytes per second, over the last seconds
	Sent       int64   `json:"sent"`       // payload bytes since the torrent was started
}

// Detail is what else can be said about a torrent.
type Detail struct {
	Torrent
	PieceLength int64     `json:"piece_length"` // bytes
	Published   time.Time `json:"published"`
	Tracked     *Tracked  `json:"tracked,omitempty"` // nil without a tracker
	// Why says in sentences why the torrent is served at the rate it is, the most important first.
	Why []string `json:"why"`
	// Availability is for each piece how many connected peers say that they have it, or nil if that is not known.
	Availability []uint32 `json:"availability"`
	Connections  []Peer   `json:"connections"` // oldest first
}

// Tracked counts the swarm as our tracker knows it.
type Tracked struct {
	Seeds     int `json:"seeds"`
	Leechers  int `json:"leechers"`
	Completed int `json:"completed"`
}

// Peer is one connection. Client, Progress and Interested are the peer's own claims.
type Peer struct {
	Addr       netip.AddrPort `json:"addr"`
	Client     string         `json:"client"`   // name and version, any bytes; empty when it told none
	Progress   float64        `json:"progress"` // pieces it says it has, 0 to 1
	Sent       int64          `json:"sent"`     // payload bytes sent to it
	Rate       int64          `json:"rate"`     // payload bytes per second, over the last seconds
	Queued     int            `json:"queued"`   // its requests not answered yet
	Unchoked   bool           `json:"unchoked"`
	Interested bool           `json:"interested"`
	Seed       bool           `json:"seed"`
	Connected  time.Time      `json:"connected"`
	// Trust is in a word what the peer has shown of itself, empty if nothing judges it. Relayed is then how many pieces it is
	// believed to have passed on.
	Trust   string `json:"trust,omitempty"`
	Relayed int    `json:"relayed,omitempty"`
}

// Sum is what was sent of one file or of all, in payload bytes.
type Sum struct {
	Today     int64 `json:"today"` // in UTC
	Month     int64 `json:"month"` // this one, today included
	Total     int64 `json:"total"`
	Completed int64 `json:"completed"` // downloads that were finished
	// Saved is what HTTP would have sent for the completed downloads less what was sent to BitTorrent clients. It may be negative.
	Saved int64 `json:"saved"`
}

// Sums is what was sent, for all files together and for each.
type Sums struct {
	All     Sum
	Entries map[int64]Sum // by a key that a file keeps when its content changes or it is renamed
}

// Span is a length of time.
type Span uint8

// The spans.
const (
	Day Span = iota
	Month
	Ever
)

// Query asks for accounts.
type Query struct {
	Span        Span
	First, Last time.Time // the first moment of the first and of the last span, in UTC; without meaning for Ever
	Each        bool      // an account for each file that had traffic
	Entry       int64     // if not Each: the file; if zero, all together
}

// Account is what was counted in one span of time.
type Account struct {
	Start     time.Time // of the span, in UTC
	Entry     int64     // its key in Sums.Entries, 0 for all together
	Path      string    // that it has now or had last, empty for all together
	Sent      []int64   // payload bytes by Config.Classes
	Completed int64     // downloads that were finished
	Saved     int64     // as in Sum
	Peers     int64     // addresses, each counted anew on each day
}
