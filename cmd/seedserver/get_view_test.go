package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
)

func TestTimeLeft(t *testing.T) {
	for _, tc := range []struct {
		name  string
		phase seedserver.Phase
		have  int64
		rate  int64
		want  time.Duration
	}{
		{"half an hour", seedserver.Downloading, 1 << 30, 1 << 20, 1024 * time.Second},
		{"nothing comes", seedserver.Downloading, 1 << 30, 0, 0},
		{"years", seedserver.Downloading, 0, 1, 0},
		{"reading what is there", seedserver.Checking, 1 << 30, 1 << 20, 0},
		{"seeding", seedserver.Seeding, 2 << 30, 1 << 20, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := seedserver.TransferStatus{Phase: tc.phase, Size: 2 << 30, Have: tc.have, Swarm: swarm.Stats{DownRate: tc.rate}}
			require.Equal(t, tc.want, timeLeft(st))
		})
	}
}

// TestLinesOfADownload holds what a pipe gets: name, percent, rates, peers, the time left, and troubles once.
func TestLinesOfADownload(t *testing.T) {
	var errs bytes.Buffer
	torrent := &metainfo.Torrent{Info: &metainfo.Info{Name: "a\x1b[31m.iso", Files: []metainfo.File{{Length: 4 << 20}}}}
	v := newTransferView(streams{&bytes.Buffer{}, &errs}, false, torrent, "a.iso")
	st := seedserver.TransferStatus{
		Phase: seedserver.Downloading, Size: 4 << 20, Have: 1 << 20, Swarm: swarm.Stats{Peers: 1, Seeds: 1, DownRate: 1 << 20},
		Tracker: fmt.Errorf("tracker t.example: %w", tracker.ErrAddress),
	}
	v.printed = time.Time{}
	v.progress(st, 0)
	v.progress(st, 0)
	v.printed = time.Time{}
	st.Trouble, st.Tracker, st.Swarm = &storage.FullError{Path: "a.iso", Err: errors.New("no space left")}, nil, swarm.Stats{}
	v.progress(st, 90*time.Second)
	st.Trouble = errors.New("writing a.iso: permission denied")
	v.progress(st, 90*time.Second)
	said := errs.String()
	require.NotContains(t, said, "\x1b", "what a torrent says cannot move the cursor")
	require.Contains(t, said, "25.0 % of 4.0 MiB, 1.0 MiB/s down, 0 bytes/s up, 1 peer (1 seed), 3s left\n")
	require.Contains(t, said, "no peers yet, giving up in 1m30s\n")
	require.Equal(t, 1, strings.Count(said, "--local allows it\n"))
	require.Equal(t, 1, strings.Count(said, "waiting: writing a.iso: no space left; make room"))
	require.Equal(t, 1, strings.Count(said, "writing a.iso: permission denied; trying again"))
}

// TestSaveAs: what a stranger's torrent calls itself must not become a file that other programs obey, unless the user says so.
func TestSaveAs(t *testing.T) {
	for _, tc := range []struct {
		said, name, want string
	}{
		{"", "a.iso", "a.iso"},
		{"", ".ssh", ""},
		{"here", ".ssh", "here"},
		{".ssh", ".ssh", ".ssh"},
	} {
		got, err := (&getCmd{SaveAs: tc.said}).saveAs(&metainfo.Info{Name: tc.name})
		if tc.want == "" {
			require.ErrorContains(t, err, "--saveas")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
}

// TestIdleness: a download is given up when nothing came for as long as it says, a full disk is waited for without end, and what
// cannot be written for another reason ends it soon, whatever comes meanwhile.
func TestIdleness(t *testing.T) {
	full, denied := &storage.FullError{Err: errors.New("no space left")}, errors.New("permission denied")
	for _, tc := range []struct {
		name    string
		trouble error
		moves   bool // something is received
		says    string
		after   time.Duration
	}{
		{"it moves", nil, true, "", 0},
		{"nothing comes", nil, false, "nobody answered for 1m0s", time.Minute},
		{"the disk is full", full, false, "", 0},
		{"no permission", denied, true, "permission denied", brokenPatience},
		{"no permission, nothing comes", denied, false, "permission denied", brokenPatience},
	} {
		t.Run(tc.name, func(t *testing.T) {
			began := time.Now()
			i := idleness{patience: time.Minute, since: began}
			st := seedserver.TransferStatus{Phase: seedserver.Downloading, Trouble: tc.trouble}
			for after := time.Duration(0); after < time.Hour; after += time.Second {
				if tc.moves {
					st.Swarm.Downloaded++
				}
				if err := i.judge(began.Add(after), st); err != nil {
					require.ErrorContains(t, err, tc.says)
					require.NotEmpty(t, tc.says)
					require.Equal(t, tc.after, after)
					return
				}
			}
			require.Empty(t, tc.says, "never given up")
		})
	}
}

// TestPackagingStarts: the command lines of the unit and of the image are understood.
func TestPackagingStarts(t *testing.T) {
	unit, err := os.ReadFile("dist/seedserver.service")
	require.NoError(t, err)
	image, err := os.ReadFile("dist/Containerfile")
	require.NoError(t, err)
	inTemp(t)
	write(t, "seedserver.toml", nil)
	lines := 0
	for line := range strings.Lines(string(unit) + string(image)) {
		_, command, ok := strings.Cut(line, "/seedserver ")
		if entry, found := strings.CutPrefix(line, "ENTRYPOINT "); found {
			command, ok = strings.NewReplacer(`["/seedserver", `, "", `"`, "", ",", "", "]", "").Replace(entry), true
		}
		if !ok || !strings.HasPrefix(line, "Exec") && !strings.HasPrefix(line, "ENTRYPOINT") {
			continue
		}
		lines++
		args := strings.Fields(strings.ReplaceAll(command, "/etc/seedserver.toml", "seedserver.toml"))
		if args[0] == "serve" {
			args[0] = checkConfig // the same flags, and starts nothing
		}
		code, _, errs := cli(t, args...)
		require.Equal(t, exitDone, code, "%s: %s", line, errs)
	}
	require.Equal(t, 3, lines)
}
