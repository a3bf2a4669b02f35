package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// One URL per file: who understands torrents asks for one, and anybody else
// gets what it always got.
func Example() {
	source := newMemory()
	source.add("notes.txt", []byte("read me\n"))
	server := httptest.NewServer(web.New(web.Config{Source: source, URL: "https://files.example"}))
	defer server.Close()

	for _, accept := range []string{"*/*", "application/x-bittorrent"} {
		r, _ := http.NewRequest(http.MethodGet, server.URL+"/notes.txt", nil)
		r.Header.Set("Accept", accept)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		content, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Println(answer.Header.Get("Content-Type"))
		if torrent, err := metainfo.Parse(content); err == nil {
			fmt.Println(torrent.Info.Name, torrent.Announce)
		} else {
			fmt.Printf("%s", content)
		}
	}
	// Output:
	// text/plain; charset=utf-8
	// read me
	// application/x-bittorrent
	// notes.txt https://files.example/announce
}
