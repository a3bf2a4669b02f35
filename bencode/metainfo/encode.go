package metainfo

import (
	"slices"

	"github.com/seedserver/bittorrent/bencode"
)

// Encode returns t as a .torrent file: InfoBytes as they are, Info and InfoHash
// are not looked at. Fields that are empty are left out. A single web seed is
// written as a string, more as a list (BEP 19 has both, and the string is what
// the oldest clients read). Encode returns nil when InfoBytes is empty: there
// is no torrent without.
func (t *Torrent) Encode() []byte {
	if len(t.InfoBytes) == 0 {
		return nil
	}
	b := bencode.AppendDictStart(make([]byte, 0, len(t.InfoBytes)+1024))
	b = appendText(b, "announce", t.Announce)
	b = appendTiers(b, t.AnnounceList)
	b = appendText(b, "comment", t.Comment)
	b = appendText(b, "created by", t.CreatedBy)
	if !t.CreationDate.IsZero() {
		b = bencode.AppendInt(bencode.AppendKey(b, "creation date"), t.CreationDate.Unix())
	}
	b = append(bencode.AppendKey(b, "info"), t.InfoBytes...)
	b = appendNodes(b, t.Nodes)
	if len(t.WebSeeds) == 1 {
		b = appendText(b, "url-list", t.WebSeeds[0])
	} else if len(t.WebSeeds) > 1 {
		b = appendStrings(bencode.AppendKey(b, "url-list"), t.WebSeeds)
	}
	return bencode.AppendEnd(b)
}

// appendText appends an entry unless s is empty.
func appendText(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return bencode.AppendString(bencode.AppendKey(b, key), s)
}

func appendStrings(b []byte, list []string) []byte {
	b = bencode.AppendListStart(b)
	for _, s := range list {
		b = bencode.AppendString(b, s)
	}
	return bencode.AppendEnd(b)
}

func appendTiers(b []byte, tiers [][]string) []byte {
	if !slices.ContainsFunc(tiers, func(tier []string) bool { return len(tier) > 0 }) {
		return b
	}
	b = bencode.AppendListStart(bencode.AppendKey(b, "announce-list"))
	for _, tier := range tiers {
		if len(tier) > 0 {
			b = appendStrings(b, tier)
		}
	}
	return bencode.AppendEnd(b)
}

func appendNodes(b []byte, nodes []Node) []byte {
	if len(nodes) == 0 {
		return b
	}
	b = bencode.AppendListStart(bencode.AppendKey(b, "nodes"))
	for _, n := range nodes {
		b = bencode.AppendString(bencode.AppendListStart(b), n.Host)
		b = bencode.AppendEnd(bencode.AppendInt(b, int64(n.Port)))
	}
	return bencode.AppendEnd(b)
}

// encodeInfo returns the info dict that Build makes. It holds the keys of
// BEP 3, and private and source if set: the same that mktorrent writes, so that
// the same content gets the same infohash.
func (cfg *BuildConfig) encodeInfo(files []Input, pieceLength int64, pieces []byte) []byte {
	b := bencode.AppendDictStart(make([]byte, 0, len(pieces)+256+64*len(files)))
	if cfg.Multi {
		b = bencode.AppendListStart(bencode.AppendKey(b, "files"))
		for _, f := range files {
			b = bencode.AppendInt(bencode.AppendKey(bencode.AppendDictStart(b), "length"), f.Length)
			b = bencode.AppendEnd(appendStrings(bencode.AppendKey(b, "path"), f.Path))
		}
		b = bencode.AppendEnd(b)
	} else {
		b = bencode.AppendInt(bencode.AppendKey(b, "length"), files[0].Length)
	}
	b = bencode.AppendString(bencode.AppendKey(b, "name"), cfg.Name)
	b = bencode.AppendInt(bencode.AppendKey(b, "piece length"), pieceLength)
	b = bencode.AppendBytes(bencode.AppendKey(b, "pieces"), pieces)
	if cfg.Private {
		b = bencode.AppendInt(bencode.AppendKey(b, "private"), 1)
	}
	return bencode.AppendEnd(appendText(b, "source", cfg.Source))
}
