package httptracker_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// A tracker for one torrent.
func Example() {
	ours := [20]byte([]byte("an infohash of ours!"))
	handler := httptracker.New(httptracker.Config{Policy: tracker.Policy{Allow: func(infohash [20]byte) error {
		if infohash != ours {
			return tracker.ErrNotRegistered
		}
		return nil
	}, Jitter: -1}, Store: peerstore.New(peerstore.Config{})})

	ask := func(target string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		fmt.Println(w.Body)
	}
	ask("/announce?info_hash=another+infohash++++&peer_id=-XX0100-abcdefghijkl&port=6881&left=0")
	ask("/scrape?info_hash=an+infohash+of+ours!")
	// Output:
	// d14:failure reason40:torrent not registered with this trackere
	// d5:filesd20:an infohash of ours!d8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0eee5:flagsd20:min_request_intervali900eee
}

func ExampleParseAnnounceQuery() {
	q, err := httptracker.ParseAnnounceQuery("info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A" +
		"&peer_id=-XX0100-abcdefghijkl&port=6881&left=&event=started")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x port %d left %d event %v\n", q.InfoHash, q.Addr.Port(), q.Left, q.Event)
	// Output: 123456789abcdef123456789abcdef123456789a port 6881 left -1 event started
}
