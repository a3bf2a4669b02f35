package catalog_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
)

// printer is a Publisher that says what it would seed.
type printer struct{ seeded chan *catalog.Version }

func (p printer) Publish(v *catalog.Version) error {
	p.seeded <- v
	return nil
}
func (p printer) Resume(*catalog.Version) error    { return nil }
func (p printer) Pause(metainfo.InfoHash)          {}
func (p printer) Retire(metainfo.InfoHash, string) {}

// A file that is dropped into the directory becomes a torrent.
func Example() {
	dir, err := os.MkdirTemp("", "catalog")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	p := printer{seeded: make(chan *catalog.Version)}
	cat, err := catalog.New(catalog.Config{Dir: dir, Publisher: p, Settle: 200 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- cat.Run(ctx) }()

	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello, swarm\n"), 0o644); err != nil {
		fmt.Println(err)
	}
	v := <-p.seeded
	fmt.Println(v.Path, v.Length(), v.InfoHash)

	cancel()
	fmt.Println(<-ended, cat.Close())
	// Output:
	// hello.txt 13 5a8035fd92a70ee98b1bd04121672a133c7eda1a
	// context canceled <nil>
}

// The rules of a directory, as a .seedserver.toml states them.
func ExampleParseRules() {
	rules, warning, err := catalog.ParseRules([]byte(`
include  = ["*.iso", "docs/**"]
min-size = "1MiB"
colour   = "red"
`), false)
	fmt.Println(rules.Include, rules.MinSize, err)
	fmt.Println(warning)
	// Output:
	// [*.iso docs/**] 1048576 <nil>
	// ignored: unknown keys "colour"
}
