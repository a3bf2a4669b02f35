package extension_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

func ids(of map[extension.Name]uint8) extension.IDs {
	var m extension.IDs
	for n, id := range of {
		m.Set(n, id)
	}
	return m
}

func TestHandshakeVectors(t *testing.T) {
	all := ids(map[extension.Name]uint8{
		extension.DontHaveName: 7, extension.UploadOnlyName: 3, extension.MetadataName: 2, extension.PEXName: 1,
	})
	seed := extension.Handshake{
		IDs: all, V: "XX 0.1", Port: 6881, Reqq: 250, MetadataSize: 31235,
		YourIP: netip.MustParseAddr("203.0.113.9"), UploadOnly: true,
	}
	super := seed
	super.UploadOnly = false
	tests := []struct {
		vector string
		want   extension.Handshake
	}{
		{"extension handshake, seed", seed},
		{"extension handshake, super-seeding (no upload_only, since peers drop an upload-only peer that seems incomplete)", super},
		{"extension handshake empty dict (valid)", extension.Handshake{}},
		{"second handshake turning ut_pex off", extension.Handshake{IDs: ids(map[extension.Name]uint8{extension.PEXName: 0})}},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			id, wire := frame(t, tt.vector)
			require.Zero(t, id)
			got, err := extension.ParseHandshake(wire)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			// The vectors name ut_holepunch too, which is not ours to say.
			want := strings.Replace(string(wire), "12:ut_holepunchi4e", "", 1)
			require.Equal(t, want, string(got.AppendTo(nil)))
		})
	}
}

func TestParseHandshakeTolerates(t *testing.T) {
	long := strings.Repeat("x", 63) + "é and more"
	tests := []struct {
		name, payload string
		want          extension.Handshake
	}{
		{"unknown keys", "d1:ei1e4:ipv64:abcde12:complete_agoi-1ee", extension.Handshake{}},
		{"keys out of order", "d1:v1:a1:pi1ee", extension.Handshake{V: "a", Port: 1}},
		{"bytes behind the dict", "d1:pi1eejunk", extension.Handshake{Port: 1}},
		{"values of other types", "d1:mi1e13:metadata_sizelee", extension.Handshake{}},
		{"more of them", "d1:p1:x4:reqqde11:upload_only1:11:vi1e6:youripi1ee", extension.Handshake{}},
		{"numbers out of range", "d13:metadata_sizei31457281e1:pi65536e4:reqqi0ee", extension.Handshake{}},
		{"negative numbers", "d13:metadata_sizei-1e1:pi-1e4:reqqi-1ee", extension.Handshake{}},
		{"numbers over 64 bits", "d1:pi18446744073709551617e4:reqqi99999999999999999999ee", extension.Handshake{}},
		{"a huge queue is a long one", "d4:reqqi1000000000ee", extension.Handshake{Reqq: 65536}},
		{"the largest metadata", "d13:metadata_sizei31457280ee", extension.Handshake{MetadataSize: extension.MaxMetadataSize}},
		{"no upload_only", "d11:upload_onlyi0ee", extension.Handshake{}},
		{"ids that are none", "d1:md11:ut_metadatai256e6:ut_pexi-1e11:lt_donthave1:aee", extension.Handshake{}},
		{"an address of no family", "d6:yourip5:abcdee", extension.Handshake{}},
		{"an address mapped into IPv6", "d6:yourip16:" + string(netip.MustParseAddr("::ffff:1.2.3.4").AsSlice()) + "e",
			extension.Handshake{YourIP: netip.MustParseAddr("1.2.3.4")}},
		{"an address of IPv6", "d6:yourip16:" + string(netip.MustParseAddr("2001:db8::1").AsSlice()) + "e",
			extension.Handshake{YourIP: netip.MustParseAddr("2001:db8::1")}},
		{"a name that is not text", "d1:v8:a\x00\x1b\xffb\n c" + "e", extension.Handshake{V: "ab c"}},
		{"a name with marks that reverse text", "d1:v5:a\u202ebe", extension.Handshake{V: "ab"}},
		{"a name cut inside a letter", "d1:v74:" + long + "e", extension.Handshake{V: long[:63]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := extension.ParseHandshake([]byte(tt.payload))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestParseHandshakeErrors(t *testing.T) {
	tests := []struct{ name, payload string }{
		{"nothing", ""},
		{"no bencode", "hello"},
		{"a list", "le"},
		{"a number", "i1e"},
		{"cut short", "d1:pi1e"},
		{"a length beyond the end", "d1:v1000000000:abc"},
		{"deep", "d1:m" + strings.Repeat("l", 30) + strings.Repeat("e", 30) + "e"},
		{"thousands of values", "d1:ml" + strings.Repeat("i1e", 2000) + "ee"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := extension.ParseHandshake([]byte(tt.payload))
			require.ErrorIs(t, err, extension.ErrPayload)
			var pe *extension.PayloadError
			require.ErrorAs(t, err, &pe)
			require.Equal(t, "handshake", pe.Message)
			require.ErrorContains(t, err, "extension: handshake payload: ")
		})
	}
	_, err := extension.ParseHandshake([]byte("hello"))
	require.ErrorIs(t, err, bencode.ErrSyntax, "the decoder's error shows through")
}

// "The m dictionary is additive. It's enough that it contains the actual CHANGES to the extension list" (BEP 10).
func TestIDsMerge(t *testing.T) {
	theirs := ids(map[extension.Name]uint8{extension.PEXName: 1, extension.MetadataName: 2})
	h, err := extension.ParseHandshake(payload(t, "second handshake turning ut_pex off"))
	require.NoError(t, err)
	theirs.Merge(h.IDs)
	theirs.Merge(ids(map[extension.Name]uint8{extension.DontHaveName: 9}))
	require.Zero(t, theirs.ID(extension.PEXName), "0 turns it off")
	require.EqualValues(t, 2, theirs.ID(extension.MetadataName), "not named: as it was")
	require.EqualValues(t, 9, theirs.ID(extension.DontHaveName))
	_, ok := theirs.Name(1)
	require.False(t, ok)
}

func TestIDs(t *testing.T) {
	ours := extension.NewIDs(extension.PEXName, extension.MetadataName)
	require.EqualValues(t, 1, ours.ID(extension.PEXName))
	require.EqualValues(t, 2, ours.ID(extension.MetadataName))
	require.Zero(t, ours.ID(extension.UploadOnlyName), "not taken")
	n, ok := ours.Name(2)
	require.True(t, ok)
	require.Equal(t, extension.MetadataName, n)
	_, ok = ours.Name(0)
	require.False(t, ok, "0 is the handshake")
	require.Equal(t, "ut_metadata", n.String())

	require.Zero(t, ours.ID(200))
	ours.Set(200, 1)
	require.Equal(t, extension.NewIDs(extension.PEXName, extension.MetadataName), ours, "names that do not exist")
	require.Equal(t, "unknown", extension.Name(200).String())
}

func TestHandshakeAppendDoesNotAllocate(t *testing.T) {
	ip := netip.MustParseAddr("203.0.113.9")
	h := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName), V: "XX 0.1", Port: 6881, YourIP: ip}
	dst := make([]byte, 0, 256)
	require.Zero(t, testing.AllocsPerRun(100, func() { h.AppendTo(dst) }))
}
