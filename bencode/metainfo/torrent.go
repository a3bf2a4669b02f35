package metainfo

import (
	"bytes"
	"crypto/sha1"
	"time"

	"github.com/seedserver/bittorrent/bencode"
)

// Torrent is what a .torrent file says (BEP 3 "metainfo files"). Everything
// but the info dict is informal: Parse leaves out what it cannot use instead
// of refusing the torrent.
type Torrent struct {
	// Announce is the URL of the tracker, empty when there is none.
	Announce string
	// AnnounceList are the tiers of tracker URLs (BEP 12). When it is not
	// empty it replaces Announce, see Trackers. No tier is empty.
	AnnounceList [][]string
	// Nodes are DHT nodes to start from (BEP 5).
	Nodes []Node
	// WebSeeds are the URLs of HTTP and FTP seeds (BEP 19), none twice.
	WebSeeds []string
	// Comment and CreatedBy are free texts in valid UTF-8. They may hold
	// control characters: escape them where they are shown.
	Comment, CreatedBy string
	// CreationDate is in UTC and whole seconds, zero when not known.
	CreationDate time.Time
	// Info is read from InfoBytes.
	Info *Info
	// InfoBytes is the raw info dict, exactly as it was in the file.
	InfoBytes []byte
	// InfoHash is the SHA-1 of InfoBytes.
	InfoHash InfoHash
}

// Node is the address of a DHT node. Host is a name or an address literal
// without brackets, Port is not 0.
type Node struct {
	Host string
	Port uint16
}

// Parse reads a .torrent file of at most 64 MiB. It is lenient: see "Reading"
// in the package documentation. The result keeps nothing of b.
//
// The error matches [ErrInvalid], [ErrUnsupported], [bencode.ErrSyntax] or
// [bencode.ErrLimit].
func Parse(b []byte) (*Torrent, error) {
	v, _, err := readOptions.Decode(b)
	if err != nil {
		return nil, err
	}
	raw := v.Get("info")
	if raw == nil {
		return nil, invalid("info", "missing: not a torrent")
	}
	raw = bytes.Clone(raw)
	info, err := readInfo(raw)
	if err != nil {
		return nil, err
	}
	announce, ok := usableURL(text(v.Get("announce")), trackerSchemes)
	if !ok {
		announce = ""
	}
	return &Torrent{
		Announce:     announce,
		AnnounceList: readTiers(v.Get("announce-list")),
		Nodes:        readNodes(v.Get("nodes")),
		WebSeeds:     readURLs(v.Get("url-list"), webSeedSchemes),
		Comment:      firstText(v, "comment.utf-8", "comment"),
		CreatedBy:    firstText(v, "created by.utf-8", "created by"),
		CreationDate: readDate(v.Get("creation date")),
		Info:         info,
		InfoBytes:    raw,
		InfoHash:     sha1.Sum(raw),
	}, nil
}

// Trackers returns the tiers of tracker URLs: AnnounceList, or Announce alone
// when that is empty (BEP 12: "if the client is compatible with the
// multitracker specification, and if the announce-list key is present, the
// client will ignore the announce key").
func (t *Torrent) Trackers() [][]string {
	switch {
	case len(t.AnnounceList) > 0:
		return t.AnnounceList
	case t.Announce != "":
		return [][]string{{t.Announce}}
	}
	return nil
}

// Magnet returns the magnet link of t: its infohash, name, length, trackers in
// the order of their tiers, and web seeds.
func (t *Torrent) Magnet() Magnet {
	m := Magnet{
		InfoHash:    t.InfoHash,
		HasInfoHash: true,
		Name:        t.Info.Name,
		Length:      t.Info.Length(),
		WebSeeds:    t.WebSeeds,
	}
	for _, tier := range t.Trackers() {
		m.Trackers = append(m.Trackers, tier...)
	}
	return m
}

func firstText(v bencode.Value, keys ...string) string {
	for _, key := range keys {
		if s := text(v.Get(key)); s != "" {
			return s
		}
	}
	return ""
}

// readDate reads seconds since 1970, up to the year 9999; anything else is no
// date.
func readDate(v bencode.Value) time.Time {
	const year10000 = 253402300800
	if s, ok := v.Int(); ok && s > 0 && s < year10000 {
		return time.Unix(s, 0).UTC()
	}
	return time.Time{}
}
