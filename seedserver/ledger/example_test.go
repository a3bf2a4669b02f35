package ledger_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// A file is published, sent twice, and both are remembered after a restart.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	l, err := ledger.Open(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	infohash := [20]byte{1, 2, 3}
	if err := l.WriteTorrent(ctx, ledger.Torrent{InfoHash: infohash, Data: []byte("d4:info...e")}); err != nil {
		log.Fatal(err)
	}
	v, err := l.AddVersion(ctx, ledger.Version{
		Path:      "debian.iso",
		Stamp:     ledger.Stamp{Dev: 1, Ino: 2, Size: 700 << 20, ModTime: now.UnixNano()},
		InfoHash:  infohash,
		Published: now,
	})
	if err != nil {
		log.Fatal(err)
	}
	l.AddBytes(now, v.FileID, ledger.ClassPeer, 2*700<<20) // Run would write it every few seconds
	if err := l.Close(); err != nil {
		log.Fatal(err)
	}

	if l, err = ledger.Open(ctx, dir); err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	live, err := l.Versions(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(live[0].Path, live[0].Published.Format(time.DateOnly))
	totals, err := l.Totals(ctx, ledger.DayOf(now), ledger.DayOf(now))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(totals[0].Path, totals[0].Class, totals[0].Bytes)

	_, err = ledger.Open(ctx, dir)
	fmt.Println("a second process may open it:", err == nil)
	// Output:
	// debian.iso 2026-03-01
	// debian.iso peer 1468006400
	// a second process may open it: false
}
