package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// What trackers are told of: peers that belong to a few owners, who announce for them from an address of their own. Peer i is in torrent
// i%trackedTorrents, and every second peer of a torrent is a seed.
const (
	trackedTorrents = 1_000
	trackedPeers    = 100_000
	owners          = 16
	owned           = trackedPeers / owners
)

var trackedHashes, trackedEscaped = func() (hashes [trackedTorrents][20]byte, escaped [trackedTorrents]string) {
	for i := range hashes {
		hashes[i] = sha1.Sum(fmt.Append(nil, "torrent ", i))
		escaped[i] = strings.ReplaceAll(url.QueryEscape(string(hashes[i][:])), "+", "%20") // opentracker knows no +
	}
	return hashes, escaped
}()

// trackedPort tells the peers of one owner in one torrent apart.
func trackedPort(i int) int { return 1025 + i/trackedTorrents }

// trackedLeft is what peer i lacks.
func trackedLeft(i int) int { return i / trackedTorrents % 2 }

// trackedID is the id of peer i.
func trackedID(i int) (id [20]byte) {
	copy(id[:], "-BE0001-")
	for at := len(id) - 1; at >= 8; at, i = at-1, i/10 {
		id[at] = byte('0' + i%10)
	}
	return id
}

// trackedQuery is the announce of peer i as the query of a URL.
func trackedQuery(i int) string {
	id := trackedID(i)
	return fmt.Sprintf("info_hash=%s&peer_id=%s&port=%d&uploaded=0&downloaded=0&left=%d&compact=1&numwant=50",
		trackedEscaped[i%trackedTorrents], id[:], trackedPort(i), trackedLeft(i))
}

// ownerIP is the address that an owner announces from.
func ownerIP(owner int) net.IP { return net.IPv4(127, 3, 0, byte(owner)) }

// refused says whether an answer over HTTP is a failure.
func refused(body []byte) bool { return bytes.Contains(body, []byte("failure reason")) }

// split is net.SplitHostPort for addresses that are known to be some.
func split(at string) (host, port string) {
	host, port, _ = net.SplitHostPort(at)
	return host, port
}
