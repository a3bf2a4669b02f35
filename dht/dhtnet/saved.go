package dhtnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht"
)

// AppendSaved appends the form of s in the file to dst: a dict of the ids and the compact nodes, as other clients have it.
func AppendSaved(dst []byte, s dht.Saved) []byte {
	var nodes4, nodes6 []byte
	for _, n := range s.Nodes {
		if n.Addr.Addr().Is4() {
			nodes4 = compact.AppendNode(nodes4, n)
		} else {
			nodes6 = compact.AppendNode(nodes6, n)
		}
	}
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "id"), s.ID4[:])
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "id6"), s.ID6[:])
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "nodes"), nodes4)
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "nodes6"), nodes6)
	return bencode.AppendEnd(dst)
}

// ParseSaved reads that again.
func ParseSaved(b []byte) (s dht.Saved, err error) {
	doc, err := bencode.Decode(b)
	if err != nil {
		return s, err
	}
	for key, id := range map[string]*dht.ID{"id": &s.ID4, "id6": &s.ID6} {
		if b, ok := doc.Get(key).Bytes(); ok && len(b) == len(id) {
			*id = dht.ID(b)
		}
	}
	four, _ := doc.Get("nodes").Bytes()
	six, _ := doc.Get("nodes6").Bytes()
	nodes4, err4 := compact.Nodes4(four)
	nodes6, err6 := compact.Nodes6(six)
	if err := errors.Join(err4, err6); err != nil {
		return dht.Saved{}, err
	}
	s.Nodes = append(nodes4, nodes6...)
	return s, nil
}

func (s *Server) load() dht.Saved {
	if s.cfg.File == "" {
		return dht.Saved{}
	}
	b, err := os.ReadFile(s.cfg.File)
	if errors.Is(err, fs.ErrNotExist) {
		return dht.Saved{}
	}
	if err == nil {
		var saved dht.Saved
		if saved, err = ParseSaved(b); err == nil {
			return saved
		}
	}
	s.log.Warn("the nodes of the DHT that were kept cannot be read; we start with the routers", "err", err)
	return dht.Saved{}
}

// save writes the file. It is small, and written by the loop every few minutes only.
func (s *Server) save() {
	if s.cfg.File == "" {
		return
	}
	if err := replaceFile(s.cfg.File, AppendSaved(nil, s.node.Save())); err != nil {
		s.log.Warn("the nodes of the DHT cannot be kept", "err", err)
	}
}

// replaceFile writes a file so that it is either the old or the new one.
func replaceFile(path string, b []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return fmt.Errorf("writing the nodes of the DHT: %w", err)
	}
	return os.Rename(next, path)
}
