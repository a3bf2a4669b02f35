package bencode_test

import (
	"fmt"
	"testing"

	mapper "github.com/zeebo/bencode"

	"github.com/seedserver/bittorrent/bencode"
)

var krpc = []byte("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:v4:SEED1:y1:qe")

// torrent returns a torrent file with so many pieces and files.
func torrent(pieces, files int) []byte {
	b := bencode.AppendDictStart(nil)
	b = bencode.AppendString(bencode.AppendKey(b, "announce"), "http://tracker.example/announce")
	b = bencode.AppendInt(bencode.AppendKey(b, "creation date"), 1754000000)
	b = bencode.AppendDictStart(bencode.AppendKey(b, "info"))
	b = bencode.AppendListStart(bencode.AppendKey(b, "files"))
	for i := range files {
		b = bencode.AppendDictStart(b)
		b = bencode.AppendInt(bencode.AppendKey(b, "length"), 1<<20)
		b = bencode.AppendListStart(bencode.AppendKey(b, "path"))
		b = bencode.AppendString(b, "directory")
		b = bencode.AppendString(b, fmt.Sprintf("file-%06d.bin", i))
		b = bencode.AppendEnd(bencode.AppendEnd(b))
	}
	b = bencode.AppendEnd(b)
	b = bencode.AppendString(bencode.AppendKey(b, "name"), "benchmark")
	b = bencode.AppendInt(bencode.AppendKey(b, "piece length"), 1<<20)
	b = bencode.AppendBytes(bencode.AppendKey(b, "pieces"), make([]byte, 20*pieces))
	return bencode.AppendEnd(bencode.AppendEnd(b))
}

var documents = []struct {
	name string
	b    []byte
}{
	{"krpc", krpc},
	{"torrent/pieces=2000/files=1", torrent(2000, 1)},
	{"torrent/pieces=2000/files=1000", torrent(2000, 1000)},
}

func BenchmarkDecode(b *testing.B) {
	for _, doc := range documents {
		b.Run(doc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc.b)))
			for b.Loop() {
				if _, err := bencode.Decode(doc.b); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWalk visits every value of a decoded document.
func BenchmarkWalk(b *testing.B) {
	for _, doc := range documents {
		b.Run(doc.name, func(b *testing.B) {
			v, err := bencode.Decode(doc.b)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(doc.b)))
			for b.Loop() {
				if walk(v) == 0 {
					b.Fatal("nothing walked")
				}
			}
		})
	}
}

func walk(v bencode.Value) int {
	n := 1
	for c := v.Cursor(); c.Next(); {
		n += walk(c.Value())
	}
	return n
}

func BenchmarkGet(b *testing.B) {
	v := bencode.Value(krpc)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := v.Get("a").Get("info_hash").Bytes(); !ok {
			b.Fatal("absent")
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	dst := make([]byte, 0, 256)
	id := []byte("abcdefghij0123456789")
	b.ReportAllocs()
	for b.Loop() {
		dst = bencode.AppendDictStart(dst[:0])
		dst = bencode.AppendDictStart(bencode.AppendKey(dst, "a"))
		dst = bencode.AppendBytes(bencode.AppendKey(dst, "id"), id)
		dst = bencode.AppendInt(bencode.AppendKey(dst, "port"), 6881)
		dst = bencode.AppendEnd(dst)
		dst = bencode.AppendString(bencode.AppendKey(dst, "q"), "ping")
		dst = bencode.AppendString(bencode.AppendKey(dst, "t"), "aa")
		dst = bencode.AppendString(bencode.AppendKey(dst, "y"), "q")
		dst = bencode.AppendEnd(dst)
	}
}

// BenchmarkUnmarshal shows what the mapping costs above Decode, with our checks
// in front ("checked") and without ("bare").
func BenchmarkUnmarshal(b *testing.B) {
	for _, doc := range documents {
		for _, by := range []struct {
			name      string
			unmarshal func([]byte, any) error
		}{{"checked", bencode.Unmarshal}, {"bare", mapper.DecodeBytes}} {
			b.Run(doc.name+"/"+by.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(doc.b)))
				for b.Loop() {
					var v struct {
						T    string             `bencode:"t"`
						A    map[string]string  `bencode:"a"`
						Info bencode.RawMessage `bencode:"info"`
					}
					if err := by.unmarshal(doc.b, &v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
