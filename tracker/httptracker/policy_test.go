package httptracker_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
)

func TestScrapePolicies(t *testing.T) {
	join := func(h http.Handler) {
		announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
		announce(t, h, peer{addr: "192.0.2.2:2", empty: true, more: hash2 + "&peer_id=-XX0100-abcdefghijkl&port=2&left=0"})
	}
	scrapeAll := func(h http.Handler) bencode.Value {
		return ask(t, h, httptest.NewRequest(http.MethodGet, "/scrape", nil))
	}

	h := newHandler(httptracker.Config{})
	join(h)
	require.Contains(t, text(scrapeAll(h).Get("failure reason")), "needs an info_hash")

	h = newHandler(httptracker.Config{Policy: tracker.Policy{Scrape: tracker.ScrapeNone}})
	join(h)
	require.Contains(t, text(scrape(t, h, hash).Get("failure reason")), "not answered")

	h = newHandler(httptracker.Config{Policy: tracker.Policy{Scrape: tracker.ScrapeFull, Allow: func(infohash [20]byte) error {
		if bytes.HasPrefix(infohash[:], []byte("c")) {
			return tracker.ErrNotRegistered
		}
		return nil
	}}})
	join(h)
	files := scrapeAll(h).Get("files")
	require.EqualValues(t, 1, number(files.Get("aaaaaaaaaaaaaaaaaaaa").Get("incomplete")))
	require.EqualValues(t, 1, number(files.Get("bbbbbbbbbbbbbbbbbbbb").Get("complete")))
	require.Equal(t, bencode.Invalid, scrape(t, h, hash).Get("files").Get("bbbbbbbbbbbbbbbbbbbb").Kind(), "one was asked for")

	h = newHandler(httptracker.Config{Policy: tracker.Policy{Scrape: tracker.ScrapeFull, AllowKey: func(string, [20]byte) error { return nil }}})
	require.Contains(t, text(scrapeAll(h).Get("failure reason")), "needs an info_hash", "who sees what depends on the key")
}

func TestWarning(t *testing.T) {
	h := newHandler(httptracker.Config{Warning: func(infohash [20]byte) string {
		if infohash[0] == 'a' {
			return "there is a newer release"
		}
		return ""
	}})
	res := announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
	require.Equal(t, "there is a newer release", text(res.Get("warning message")))
	require.NotEqual(t, bencode.Invalid, res.Get("peers").Kind())
}

func TestCurrentInterval(t *testing.T) {
	now := 10 * time.Minute
	h := newHandler(httptracker.Config{Policy: tracker.Policy{CurrentInterval: func() time.Duration { return now }}})
	for _, minutes := range []int{10, 60} {
		now = time.Duration(minutes) * time.Minute
		res := announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
		require.EqualValues(t, minutes*60, number(res.Get("interval")), fmt.Sprint(minutes))
		require.EqualValues(t, minutes*30, number(res.Get("min interval")))
	}
}
