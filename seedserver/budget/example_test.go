package budget_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seedserver/bittorrent/seedserver/budget"
)

// A server that may send 20 MB/s, a torrent that may have half of it, and web
// seeds of this torrent, which are not limited on their own.
func Example() {
	limit, err := budget.ParseRate("20MB/s")
	if err != nil {
		log.Fatal(err)
	}
	server := budget.New(nil, int64(limit))
	torrent := budget.New(server, int64(limit)/2)
	webSeed := budget.New(torrent, 0)

	if err := webSeed.Wait(context.Background(), 16<<10); err != nil {
		log.Fatal(err)
	}
	fmt.Println("may send 16384 bytes")

	server.SetRate(0)
	fmt.Println(budget.Rate(server.Rate()), budget.Rate(torrent.Rate()))
	// Output:
	// may send 16384 bytes
	// unlimited 10MB/s
}

func ExampleParseBytes() {
	n, err := budget.ParseBytes("1.5MiB")
	fmt.Println(int64(n), n, err)
	// Output: 1572864 1536KiB <nil>
}
