package seedserver

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

func TestModeOfDirectories(t *testing.T) {
	mode := func(m any) map[string]any { return map[string]any{"mode": m} }
	for _, tt := range []struct {
		name     string
		server   Mode
		policies []map[string]any
		want     Mode
	}{
		{"nothing said", "", nil, ModeConservative},
		{"the server says", ModeBalanced, nil, ModeBalanced},
		{"a directory says", ModeConservative, []map[string]any{mode("plain")}, ModePlain},
		{"one below asks for less", "", []map[string]any{mode("plain"), mode("balanced")}, ModeBalanced},
		{"one below asks for more", "", []map[string]any{mode("balanced"), mode("generous")}, ModeBalanced},
		{"other keys", ModeGenerous, []map[string]any{{"budget": "1GB/month"}}, ModeGenerous},
		{"no such mode", ModeGenerous, []map[string]any{mode("fast"), mode(7)}, ModeGenerous},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ts := &torrents{cfg: &Config{Mode: tt.server}, log: slog.New(slog.DiscardHandler)}
			require.Equal(t, tt.want, ts.modeOf(&catalog.Version{Policies: tt.policies}))
		})
	}
}

func TestParseMode(t *testing.T) {
	for _, m := range Modes() {
		got, err := ParseMode(string(m))
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
	_, err := ParseMode("fast")
	require.ErrorContains(t, err, "one of conservative, balanced, generous, plain")
	require.Error(t, (&Config{Dir: "d", Mode: "fast"}).Check())
}

// TestMaxRate: what a torrent may send is bounded by what all may, and by what each may.
func TestMaxRate(t *testing.T) {
	for _, tt := range []struct{ all, each, want int64 }{{0, 0, 0}, {100, 0, 100}, {0, 50, 50}, {100, 50, 50}, {100, 200, 100}} {
		ts := &torrents{limit: budget.New(nil, tt.all), perTorrent: tt.each}
		require.Equal(t, tt.want, ts.maxRate(), "%+v", tt)
	}
}

// TestPickersAreLoadedOnce: the state of a live torrent is handed out once, that of others is forgotten.
func TestPickersAreLoadedOnce(t *testing.T) {
	l, err := ledger.Config{}.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	live, gone := metainfo.InfoHash{1}, metainfo.InfoHash{2}
	require.NoError(t, l.SavePickers(t.Context(), []ledger.Picker{{InfoHash: live, State: []byte("a")}, {InfoHash: gone, State: []byte("b")}}))

	p := newPickers(l, slog.New(slog.DiscardHandler))
	require.Nil(t, p.take(live), "not loaded")
	require.NoError(t, p.load(t.Context(), map[metainfo.InfoHash]bool{live: true}))
	require.Equal(t, []byte("a"), p.take(live))
	require.Nil(t, p.take(live), "it has a swarm now, which knows better")
	require.Nil(t, p.take(gone))
	left, err := l.Pickers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []ledger.Picker{{InfoHash: live, State: []byte("a")}}, left)

	p.forget(live)
	left, err = l.Pickers(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)
}
