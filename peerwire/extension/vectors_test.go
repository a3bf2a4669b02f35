package extension_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

type vector struct {
	Name, Hex string
	SHA256    string `json:"hex_sha256"`
}

// load returns the vectors by name.
func load(t testing.TB) map[string]vector {
	t.Helper()
	b, err := os.ReadFile("testdata/extended.json")
	require.NoError(t, err)
	var file struct{ Messages []vector }
	require.NoError(t, json.Unmarshal(b, &file))
	all := map[string]vector{}
	for _, v := range file.Messages {
		all[v.Name] = v
	}
	require.Len(t, all, len(file.Messages))
	return all
}

// frame returns the extended id and the payload of the named vector.
func frame(t testing.TB, name string) (id uint8, payload []byte) {
	t.Helper()
	v, ok := load(t)[name]
	require.True(t, ok, "no vector %q", name)
	b, err := hex.DecodeString(v.Hex)
	require.NoError(t, err)
	require.EqualValues(t, len(b)-4, binary.BigEndian.Uint32(b))
	require.EqualValues(t, 20, b[4])
	return b[5], b[6:]
}

// payload returns the payload of the named vector.
func payload(t testing.TB, name string) []byte {
	_, p := frame(t, name)
	return p
}

// content returns size bytes that every run and every language makes alike: SHA-256 of the label and a counter, joined.
func content(label string, size int) []byte {
	var b []byte
	for i := uint32(0); len(b) < size; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(label), i))
		b = append(b, sum[:]...)
	}
	return b[:size]
}
