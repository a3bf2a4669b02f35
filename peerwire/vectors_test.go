package peerwire_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// load reads a file of vectors from testdata.
func load(t testing.TB, name string, to any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, to))
}

// fromHex decodes the hex of a vector.
func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

type messageVector struct {
	Name, Hex string
	Fields    struct {
		Index, Begin, Length uint32
		Port                 uint16
		Pieces               uint32
		Have                 []uint32
		Block                string `json:"block_hex"`
	}
}

type messageVectors struct {
	Messages []messageVector
	Bad      []struct{ Hex, Why string }
}
