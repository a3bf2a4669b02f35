package extension_test

import (
	"crypto/sha1"
	"fmt"

	"github.com/seedserver/bittorrent/peerwire/extension"
)

// A seed and a peer that has only a magnet link: handshakes, then the info dict.
func Example() {
	info := []byte("d6:lengthi5e4:name5:hello12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae")

	ours := extension.NewIDs(extension.PEXName, extension.MetadataName)
	hello := extension.Handshake{IDs: ours, V: "Example 1.0", Reqq: 500, MetadataSize: int64(len(info))}.AppendTo(nil)

	theirs, err := extension.ParseHandshake(hello) // at the peer
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(theirs.V, "takes ut_metadata as", theirs.IDs.ID(extension.MetadataName))

	server := extension.NewMetadataServer(info)
	assembler, err := extension.NewMetadataAssembler(sha1.Sum(info), theirs.MetadataSize)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, piece := range assembler.Missing(nil) {
		got, err := assembler.Add(server.Answer(piece))
		fmt.Println(len(got), "bytes,", err)
	}
	// Output:
	// Example 1.0 takes ut_metadata as 2
	// 79 bytes, <nil>
}

func ExampleParsePEX() {
	p, err := extension.ParsePEX([]byte("d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x02e"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Added[0].Addr, p.Added[0].Flags&extension.PEXSeed != 0)
	// Output: 192.0.2.1:6881 true
}
