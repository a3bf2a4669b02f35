package peerwire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

// peerID is an id that begins as given.
func peerID(prefix string) peerwire.PeerID { return peerwire.NewPeerID(prefix, []byte("random bytes")) }

func TestClientVectors(t *testing.T) {
	var v struct {
		Prefixes map[string]string `json:"azureus_style"`
	}
	load(t, "peer_ids.json", &v)
	require.Len(t, v.Prefixes, 14)
	for prefix, want := range v.Prefixes {
		if len(prefix) == 3 {
			prefix += "0100-"
		}
		want, _, _ = strings.Cut(want, " (Mainline")
		got := peerID(prefix).Client()
		require.True(t, strings.HasPrefix(got, want), "%s: %q, want %q", prefix, got, want)
	}
}

func TestClient(t *testing.T) {
	tests := []struct{ prefix, want string }{
		{"-TR2940-", "Transmission 2.94"},
		{"-TR400B-", "Transmission 4.0.0"},
		{"-lt0D80-", "libTorrent (rakshasa) 0.13.8"},
		{"-qB4650-", "qBittorrent 4.6.5"},
		{"-qB4651-", "qBittorrent 4.6.5.1"},
		{"-DE13F0-", "Deluge 1.3.15"},
		{"-DE203s-", "Deluge 2.0.3"},
		{"-BC0196-", "BitComet 1.96"},
		{"-WW0208-", "WebTorrent 2.8"},
		{"-WW02.8-", "WebTorrent"},
		{"A2-1-37-0-", "aria2 1.37.0"},
		{"A2-", "aria2"},
		{"M7-9-2--", "BitTorrent 7.9.2"},
		{"M7-10-5-", "BitTorrent 7.10.5"},
		{"Mainline", ""},
		{"S58B-----", "Shadow 5.8.11"},
		{"T03I-----", "BitTornado 0.3.18"},
		{"T--------", ""},
		{"Z58B-----", ""},
		{"-XY1230-", "XY 1.2.3"},
		{"-<b1230-", ""},
		{"-XY<>&\x00-", "XY"},
		{"-TR....-", "Transmission"},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.prefix, func(t *testing.T) { require.Equal(t, tt.want, peerID(tt.prefix).Client()) })
	}
}

func TestNewPeerID(t *testing.T) {
	id := peerwire.NewPeerID("-XX0100-", bytes.Repeat([]byte{0, 1, 63, 64, 255}, 4))
	require.Equal(t, "-XX0100-AB_A_AB_A_AB", id.String())
	require.Equal(t, id.String(), id.LogValue().String())
	require.Equal(t, "-XX0100-ABABABABABAB", peerwire.NewPeerID("-XX0100-", []byte{0, 1}).String(), "too few start over")
	require.Equal(t, "-XX0100-AAAAAAAAAAAA", peerwire.NewPeerID("-XX0100-", nil).String())
	require.Equal(t, "-a prefix of more th", peerwire.NewPeerID("-a prefix of more than 20 bytes", nil).String())
}

func TestPeerIDStringIsSafe(t *testing.T) {
	id := peerwire.PeerID{'-', 'X', '\n', 0x1b, '\\', 0x7f, 0xff, '~', ' '}
	require.Equal(t, `-X\x0a\x1b\x5c\x7f\xff~ `+strings.Repeat(`\x00`, 11), id.String())
}
