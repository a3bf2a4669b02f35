package krpc_test

import (
	"fmt"

	"github.com/seedserver/bittorrent/dht/krpc"
)

func Example() {
	query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, T: []byte("aa"), ID: [20]byte([]byte("abcdefghij0123456789"))}
	packet := query.AppendTo(nil)
	fmt.Printf("%s\n", packet)

	var m krpc.Message
	fmt.Println(m.Parse(packet), m.Method, string(m.T))
	// Output:
	// d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe
	// <nil> ping aa
}
