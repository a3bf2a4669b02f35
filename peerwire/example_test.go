package peerwire_test

import (
	"bytes"
	"fmt"
	"net"

	"github.com/seedserver/bittorrent/peerwire"
)

// A seed serves what one read delivered, and answers it with one write.
func Example() {
	piece := []byte("the only piece of a small torrent")
	leech, seed := net.Pipe()
	go func() { // the leech
		defer leech.Close()
		wire := peerwire.AppendRequest(nil, peerwire.Request{Index: 0, Begin: 4, Length: 4})
		wire = peerwire.AppendRequest(wire, peerwire.Request{Index: 0, Begin: 0xffffff00, Length: 16384})
		leech.Write(wire)
	}()

	d := peerwire.NewDecoder(seed, peerwire.DecoderConfig{NumPieces: 1})
	if err := d.Await(); err != nil {
		fmt.Println(err)
		return
	}
	var run peerwire.BlockRun
	for _, r := range d.Requests(nil) {
		if r.Index != 0 || !r.Valid(int64(len(piece)), 128<<10) {
			run.AddFrames(peerwire.AppendReject(nil, r))
			continue
		}
		run.Add(r.Index, r.Begin, piece[r.Begin:][:r.Length])
	}
	var sent bytes.Buffer // the connection, for want of one
	run.WriteTo(&sent)

	answers := peerwire.NewDecoder(&sent, peerwire.DecoderConfig{})
	for m, err := answers.Next(); err == nil; m, err = answers.Next() {
		switch m := m.(type) {
		case peerwire.Piece:
			fmt.Printf("piece %d at %d: %q\n", m.Index, m.Begin, m.Data)
		case peerwire.Reject:
			fmt.Printf("rejected %d at %d\n", m.Index, m.Begin)
		}
	}
	// Output:
	// piece 0 at 4: "only"
	// rejected 0 at 4294967040
}

func ExamplePeerID_Client() {
	id := peerwire.PeerID([]byte("-TR4060-k3v9x0q2m5z8"))
	fmt.Println(id.Client())
	// Output: Transmission 4.0.6
}

func ExampleHandshake() {
	h := peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol, peerwire.Fast),
		PeerID:   peerwire.NewPeerID("-XX0100-", []byte("twelve bytes")),
	}
	got, err := peerwire.ReadHandshake(bytes.NewReader(h.AppendTo(nil)))
	fmt.Println(got.Reserved.Has(peerwire.Fast), got.Reserved.Has(peerwire.DHT), err)
	// Output: true false <nil>
}
