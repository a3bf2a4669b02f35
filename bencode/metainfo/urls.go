package metainfo

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/bencode"
)

// maxURLs bounds each list of URLs: the longest known have a few hundred.
const maxURLs = 1000

var (
	trackerSchemes = []string{"http", "https", "udp", "ws", "wss"}
	webSeedSchemes = []string{"http", "https", "ftp"}
)

// usableURL trims white space, which occurs, and reports whether an absolute
// URL with one of the schemes is left.
func usableURL(s string, schemes []string) (string, bool) {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	return s, err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}

// appendURL appends s to urls if it is usable, not there yet, and not too much.
func appendURL(urls []string, s string, schemes []string) []string {
	if len(urls) == maxURLs {
		return urls
	}
	if s, ok := usableURL(s, schemes); ok && !slices.Contains(urls, s) {
		return append(urls, s)
	}
	return urls
}

// readTiers reads an announce-list (BEP 12). A list of strings, which occurs,
// is read as one tracker a tier.
func readTiers(v bencode.Value) [][]string {
	if v.Kind() != bencode.List {
		return nil
	}
	var tiers [][]string
	total := 0
	for c := v.Cursor(); c.Next() && total < maxURLs; {
		tier := readURLs(c.Value(), trackerSchemes)
		tier = tier[:min(len(tier), maxURLs-total)]
		if len(tier) > 0 {
			tiers = append(tiers, tier)
			total += len(tier)
		}
	}
	return tiers
}

// readURLs reads a string or a list of strings, and leaves out what is not
// usable or there already.
func readURLs(v bencode.Value, schemes []string) []string {
	if b, ok := v.Bytes(); ok {
		return appendURL(nil, string(b), schemes)
	}
	var urls []string
	for c := v.Cursor(); v.Kind() == bencode.List && c.Next(); {
		if b, ok := c.Value().Bytes(); ok {
			urls = appendURL(urls, string(b), schemes)
		}
	}
	return urls
}

// readNodes reads pairs of host and port (BEP 5), and leaves out what is none.
func readNodes(v bencode.Value) []Node {
	var nodes []Node
	for c := v.Cursor(); v.Kind() == bencode.List && c.Next(); {
		pair := c.Value().Cursor()
		if c.Value().Kind() != bencode.List || !pair.Next() {
			continue
		}
		host, _ := pair.Value().Bytes()
		if !pair.Next() {
			continue
		}
		port, _ := pair.Value().Int()
		if usableHost(string(host)) && port > 0 && port <= 0xffff {
			nodes = append(nodes, Node{string(host), uint16(port)})
		}
	}
	return nodes
}

// usableHost reports whether s may be a host name or an address without
// brackets.
func usableHost(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune("/\\[]@?#", c)
	})
}

// parseHostPort reads "host:port" with an IPv6 host in brackets.
func parseHostPort(s string) (Node, bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !usableHost(host) {
		return Node{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return Node{host, uint16(n)}, err == nil && n > 0
}

// hostPort is the inverse of parseHostPort.
func (n Node) hostPort() string { return net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port))) }
