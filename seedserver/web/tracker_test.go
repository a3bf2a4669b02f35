package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

func testTable() web.TrackerTable {
	return web.TrackerTable{
		Time: time.Date(2026, 3, 1, 12, 0, 7, 0, time.UTC),
		Torrents: []web.TrackerTorrent{
			{InfoHash: metainfo.InfoHash{1}, Name: "<b>debian.iso", Size: 3 << 20, Complete: 1234, Downloading: 5, Downloaded: 2},
			{InfoHash: metainfo.InfoHash{2}, Complete: 1},
		},
		Total: web.TrackerTotal{Torrents: 7, Complete: 1235, Downloading: 5, Downloaded: 2, Transferred: 6 << 20, Connections: 1240, Addresses: 900},
	}
}

func trackerAnswer(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://tracker.example:6969"+path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTrackerPages(t *testing.T) {
	h := web.NewTrackerPages(web.TrackerConfig{Table: testTable, Version: "1.2", UDP: true})
	for _, path := range []string{"/", "/-/tracker"} {
		w := trackerAnswer(h, path, "text/html")
		require.Equal(t, http.StatusOK, w.Code)
		page := w.Body.String()
		for _, want := range []string{
			"&lt;b&gt;debian.iso", metainfo.InfoHash{2}.String(), "1\u202f234", "3.0 MiB", "6.0 MiB", "900 unique addresses, 1\u202f240 connections",
			"Server time 2026-03-01 12:00:07 UTC, version 1.2", "5 more torrents", "http://tracker.example:6969/announce",
			"udp://tracker.example:6969/announce",
		} {
			require.Contains(t, page, want)
		}
		require.NotContains(t, page, "Search")
		_, link, _ := strings.Cut(page, `rel="stylesheet" href="`)
		link, _, _ = strings.Cut(link, `"`)
		require.Equal(t, http.StatusOK, trackerAnswer(h, "/"+strings.TrimLeft(link, "./"), "").Code, link)
	}
	require.Equal(t, http.StatusNotFound, trackerAnswer(h, "/etc/passwd", "").Code)
	require.Equal(t, http.StatusNotFound, trackerAnswer(h, "/-/search", "").Code)

	r := httptest.NewRequest(http.MethodPost, "/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestTrackerJSON(t *testing.T) {
	h := web.NewTrackerPages(web.TrackerConfig{Table: testTable, Version: "1.2"})
	w := trackerAnswer(h, "/", "application/json")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, "1.2", got["version"])
	require.Equal(t, "2026-03-01T12:00:07Z", got["time"])
	torrents := got["torrents"].([]any)
	require.Equal(t, map[string]any{
		"infohash": metainfo.InfoHash{1}.String(), "name": "<b>debian.iso", "size": 3145728.0, "complete": 1234.0, "downloading": 5.0,
		"downloaded": 2.0, "transferred": 6291456.0,
	}, torrents[0])
	require.Nil(t, torrents[1].(map[string]any)["size"], "not known")
	require.Equal(t, 900.0, got["totals"].(map[string]any)["addresses"])
}

// The page of a Handler is there only with a tracker.
func TestTrackerPageOfAHandler(t *testing.T) {
	without := web.New(web.Config{Source: newSite()})
	require.Equal(t, http.StatusNotFound, trackerAnswer(without, "/-/tracker", "text/html").Code)
	with := web.New(web.Config{Source: newSite(), Tracker: func(*http.Request) web.TrackerTable { return testTable() }})
	w := trackerAnswer(with, "/-/tracker", "text/html")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "Search")
	require.Contains(t, w.Body.String(), `<a href="../%3Cb%3Edebian.iso?page"><bdi>&lt;b&gt;debian.iso</bdi></a>`, "its details")
	require.NotContains(t, w.Body.String(), "Announce URL")
}
