package bencode_test

import (
	"crypto/sha1"
	"errors"
	"fmt"

	"github.com/seedserver/bittorrent/bencode"
)

func Example() {
	// An answer to a DHT query (BEP 5): entries in the order of their keys.
	b := bencode.AppendDictStart(nil)
	b = bencode.AppendDictStart(bencode.AppendKey(b, "r"))
	b = bencode.AppendString(bencode.AppendKey(b, "id"), "abcdefghij0123456789")
	b = bencode.AppendEnd(b)
	b = bencode.AppendString(bencode.AppendKey(b, "t"), "aa")
	b = bencode.AppendString(bencode.AppendKey(b, "y"), "r")
	b = bencode.AppendEnd(b)
	fmt.Printf("%s\n", b)

	doc, err := bencode.Decode(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, ok := doc.Get("r").Get("id").Bytes()
	fmt.Printf("%s %v\n", id, ok)
	// Output:
	// d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re
	// abcdefghij0123456789 true
}

// The infohash is taken over the bytes as they came (BEP 3).
func ExampleValue_Get() {
	doc, err := bencode.DecodeLenient([]byte("d4:infod6:lengthi007e4:name1:aee\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	info := doc.Get("info")
	fmt.Printf("%s\n%x\n", info, sha1.Sum(info))
	// Output:
	// d6:lengthi007e4:name1:ae
	// 47515d684d01cfe28a34abbf0cc5da406466105e
}

func ExampleCursor() {
	doc, err := bencode.Decode([]byte("d4:porti6881e4:tagsl4:seed5:quicke1:v2:SSe"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for c := doc.Cursor(); c.Next(); {
		fmt.Printf("%s: %v\n", c.Key(), c.Value().Kind())
	}
	// Output:
	// port: int
	// tags: list
	// v: string
}

func ExampleDecode_error() {
	_, err := bencode.Decode([]byte("d4:porti6881e4:name1:ae"))
	fmt.Println(err, errors.Is(err, bencode.ErrSyntax))
	// Output:
	// bencode: dict keys out of order at offset 13 true
}

func ExampleUnmarshal() {
	var reply struct {
		Failure  string `bencode:"failure reason"`
		Interval int64  `bencode:"interval"`
		Peers    []byte `bencode:"peers"`
	}
	err := bencode.Unmarshal([]byte("d8:intervali1800e5:peers6:\x7f\x00\x00\x01\x1a\xe1e"), &reply)
	fmt.Println(reply.Interval, len(reply.Peers), err)
	// Output:
	// 1800 6 <nil>
}
