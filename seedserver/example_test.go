package seedserver_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
)

// A directory becomes a handler of a web server that one has already. Whoever asks for a torrent gets one.
func Example() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	files := filepath.Join(dir, "files")
	srv, err := seedserver.New(seedserver.Config{
		Dir: files, State: filepath.Join(dir, "state"),
		HTTP: seedserver.HTTPOff, Peer: "127.0.0.1:0", SettleWrite: 50 * time.Millisecond, SettleRename: 50 * time.Millisecond,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- srv.Run(ctx) }()
	web := httptest.NewServer(http.StripPrefix("/downloads", srv.Handler()))
	defer web.Close()

	// Somebody drops a file into the directory, in one step.
	incoming := filepath.Join(dir, "incoming")
	if err := os.WriteFile(incoming, []byte("hello, world\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(incoming, filepath.Join(files, "hello.txt")); err != nil {
		log.Fatal(err)
	}

	torrent := fetch(web.URL + "/downloads/hello.txt.torrent")
	fmt.Println(torrent.Info.Name, torrent.Info.Length(), "bytes")
	fmt.Println(torrent.InfoHash)
	fmt.Println(torrent.Announce == web.URL+"/downloads/announce")

	cancel()
	fmt.Println(<-done)
	// Output:
	// hello.txt 13 bytes
	// b46e98d0bb72890c143723d35b5d7d27b0e6835f
	// true
	// <nil>
}

// fetch asks for a torrent until there is one: the server says 503 until then.
func fetch(url string) *metainfo.Torrent {
	for range 200 {
		resp, err := http.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		if resp.StatusCode == http.StatusOK {
			t, err := metainfo.Parse(body)
			if err != nil {
				log.Fatal(err)
			}
			return t
		}
		<-time.After(50 * time.Millisecond)
	}
	log.Fatal("never published")
	return nil
}
