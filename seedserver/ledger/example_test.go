package ledger_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// A file is published, sent twice and downloaded five times, and all of that is
// remembered after a restart.
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
	l.AddBytes(now, v.FileID, ledger.ClassPlain, 2*700<<20) // Run would write it every few seconds
	for range 5 {
		l.AddCompleted(now, v.FileID, 700<<20) // three of them got it from each other
	}
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
	files, _, err := l.FileSummaries(ctx, ledger.FileQuery{Today: ledger.DayOf(now), Sort: ledger.SortEver, Descending: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Path, "sent", f.Today.Sent.Sum(), "saved", f.Today.Saved())
	}

	_, err = ledger.Open(ctx, dir)
	fmt.Println("a second process may open it:", err == nil)
	// Output:
	// debian.iso 2026-03-01
	// debian.iso sent 1468006400 saved 2202009600
	// a second process may open it: false
}
