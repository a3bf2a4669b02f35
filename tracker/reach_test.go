package tracker_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"1.1.1.1": true, "198.51.100.7": true, "2a00::1": true, "64:ff9b::1.1.1.1": true, "2002:0101:0101::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "172.32.0.1": true,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "fc00::1": false, "fec0::1": false,
		"100.64.0.1": false, "100.128.0.1": true, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:1.1.1.1": true, "::127.0.0.1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b::169.254.169.254": false, "2002:7f00:0001::1": false, "2002:c0a8:0101::": false,
	} {
		require.Equal(t, want, tracker.Public(netip.MustParseAddr(ip)), ip)
	}
	require.False(t, tracker.Public(netip.Addr{}))
}

// BEP 48: the examples of the scrape convention.
func TestScrapeURL(t *testing.T) {
	for announce, want := range map[string]string{
		"http://example.com/announce":          "http://example.com/scrape",
		"http://example.com/x/announce":        "http://example.com/x/scrape",
		"http://example.com/announce.php":      "http://example.com/scrape.php",
		"http://example.com/a":                 "",
		"http://example.com/announce?x2%0644":  "http://example.com/scrape?x2%0644",
		"http://example.com/announce?x=2/4":    "",
		"http://example.com/x%064announce":     "",
		"udp://example.com:80":                 "udp://example.com:80",
		"udp://example.com:80/announce":        "udp://example.com:80/announce",
		"announce":                             "",
		"http://example.com/announce/secret":   "",
		"http://example.com/secret/announce?a": "http://example.com/secret/scrape?a",
	} {
		got, ok := tracker.ScrapeURL(announce)
		require.Equal(t, want, got, announce)
		require.Equal(t, want != "", ok, announce)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"a\r\nb\x1b[2J\x00":       "a  b [2J",
		"\xff\u202eevil é":        "\uFFFD evil é",
		strings.Repeat("x", 1000): strings.Repeat("x", 512),
	} {
		require.Equal(t, want, tracker.Text([]byte(in)))
	}
}
