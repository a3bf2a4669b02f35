//go:build linux

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// A tap is a connection that counts the bytes of blocks that come in, frame by frame and by itself: what is cut off counts as far as
// it came.
type tap struct {
	net.Conn
	head   []byte // of the frame that is coming in: length, and if there is one, id, index, begin
	left   int    // bytes of the frame behind head
	blocks int64
	seen   []moment
	begun  chan struct{} // closed when the first byte of a block has come
}

// moment is how much had come in at a time.
type moment struct {
	at     time.Time
	blocks int64
}

// Read is part of net.Conn.
func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	had := c.blocks
	for b := b[:n]; len(b) > 0; {
		took := c.take(b)
		b = b[took:]
	}
	if had == 0 && c.blocks > 0 {
		close(c.begun)
	}
	c.seen = append(c.seen, moment{time.Now(), c.blocks})
	return n, err
}

// take looks at the beginning of b, and returns how much of it.
func (c *tap) take(b []byte) int {
	const pieceHead = 4 + 9
	if c.left > 0 {
		n := min(c.left, len(b))
		c.left -= n
		if c.head[4] == 7 {
			c.blocks += int64(n)
		}
		if c.left == 0 {
			c.head = c.head[:0]
		}
		return n
	}
	c.head = append(c.head, b[0])
	if len(c.head) < 4 {
		return 1
	}
	size := int(c.head[0])<<24 | int(c.head[1])<<16 | int(c.head[2])<<8 | int(c.head[3])
	switch {
	case size == 0:
		c.head = c.head[:0]
	case len(c.head) == 5 && c.head[4] != 7, len(c.head) == pieceHead:
		if c.left = 4 + size - len(c.head); c.left == 0 {
			c.head = c.head[:0]
		}
	}
	return 1
}

// await waits for the first byte of a block.
func (c *tap) await(t *testing.T) {
	t.Helper()
	select {
	case <-c.begun:
	case <-time.After(busy * wirePatience):
		require.Fail(t, "nothing comes")
	}
}

// before returns what had come in at a time.
func (c *tap) before(at time.Time) (blocks int64) {
	for _, m := range c.seen {
		if m.at.After(at) {
			break
		}
		blocks = m.blocks
	}
	return blocks
}

// tapped connects to the server to download torrent, and counts.
func (s *server) tapped(from string, torrent *metainfo.Torrent, want []byte) (*leecher, *tap) {
	s.t.Helper()
	l := s.leech(from, torrent, want)
	c := &tap{Conn: l.conn, begun: make(chan struct{})}
	l.conn, l.frames = c, peerwire.NewDecoder(c, peerwire.DecoderConfig{NumPieces: uint32(torrent.Info.NumPieces())})
	return l, c
}

// runRevealed downloads what the server reveals until all is there. It tells what it has, as clients do.
func (l *leecher) runRevealed() error {
	defer l.conn.Close()
	left := map[uint32]int64{} // bytes missing of a piece
	for piece := range l.info.NumPieces() {
		left[uint32(piece)] = l.info.PieceSize(piece)
	}
	all := l.missing
	l.missing = nil
	hello := peerwire.Append(nil, peerwire.HaveNone{})
	if err := l.send(peerwire.Append(hello, peerwire.Interested{})); err != nil {
		return err
	}
	for l.received < len(l.want) {
		if err := l.ask(); err != nil {
			return err
		}
		l.conn.SetReadDeadline(time.Now().Add(wirePatience))
		m, err := l.frames.Next()
		if err != nil {
			return err
		}
		if have, ok := m.(peerwire.Have); ok {
			for _, r := range all {
				if r.Index == have.Index {
					l.missing = append(l.missing, r)
				}
			}
		}
		if err := l.take(m); err != nil {
			return err
		}
		if block, ok := m.(peerwire.Piece); ok {
			if left[block.Index] -= int64(len(block.Data)); left[block.Index] == 0 {
				if err := l.send(peerwire.AppendHave(nil, block.Index)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fetchMetadata downloads the info dict as a client does that has a magnet link, and returns how many bytes came.
func (s *server) fetchMetadata(from string, torrent *metainfo.Torrent) (n int) {
	s.t.Helper()
	conn, err := s.connect(from, torrent.InfoHash)
	require.NoError(s.t, err)
	defer conn.Close()
	frames := peerwire.NewDecoder(conn, peerwire.DecoderConfig{})
	ours := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName), V: "Fake \"1\"\n\u202e"}
	_, err = conn.Write(peerwire.Append(nil, peerwire.Extended{Payload: ours.AppendTo(nil)}))
	require.NoError(s.t, err)
	for asked := uint32(0); n < len(torrent.InfoBytes); {
		m, err := frames.Next()
		require.NoError(s.t, err)
		extended, ok := m.(peerwire.Extended)
		if !ok {
			continue
		}
		id := extended.ID
		if id == 0 {
			theirs, err := extension.ParseHandshake(extended.Payload)
			require.NoError(s.t, err)
			id = theirs.IDs.ID(extension.MetadataName)
		} else {
			answer, err := extension.ParseMetadata(extended.Payload)
			require.NoError(s.t, err)
			require.Equal(s.t, extension.MetadataData, answer.Type)
			n += len(answer.Data)
			asked++
		}
		if n < len(torrent.InfoBytes) {
			ask := extension.Metadata{Type: extension.MetadataRequest, Piece: asked}
			_, err = conn.Write(peerwire.Append(nil, peerwire.Extended{ID: id, Payload: ask.AppendTo(nil)}))
			require.NoError(s.t, err)
		}
	}
	return n
}

// announce tells the server's tracker of a client.
func (s *server) announce(from string, torrent *metainfo.Torrent, event string, left int64) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{
		DialContext:       (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext,
		DisableKeepAlives: true,
	}}
	query := fmt.Sprintf("info_hash=%s&peer_id=-TT0001-abcdefghijkl&port=7777&left=%d&event=%s",
		url.QueryEscape(string(torrent.InfoHash[:])), left, event)
	resp, err := client.Get(s.base + "/announce?" + query)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.NotContains(s.t, string(body), "failure")
}

// sums reads the ledger of the server, which may be running: what was counted ever, by path, and of all under "".
func (s *server) sums() map[string]ledger.Counts {
	s.t.Helper()
	r, err := ledger.OpenReadOnly(s.t.Context(), s.state)
	require.NoError(s.t, err)
	defer r.Close()
	sums := map[string]ledger.Counts{}
	all, err := r.Overall(s.t.Context(), 0)
	require.NoError(s.t, err)
	sums[""] = all.Ever
	files, _, err := r.FileSummaries(s.t.Context(), ledger.FileQuery{})
	require.NoError(s.t, err)
	for _, f := range files {
		if f.Ever != (ledger.Counts{}) {
			sums[f.Path] = f.Ever
		}
	}
	return sums
}

// TestLedger: what the ledger has is what clients of our own counted, to the byte and by class, across restarts and renames.
func TestLedger(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		testLedgerPlain(t, newPlainServer(t).at("198.18.3.1"))
	})
	t.Run("conservative", func(t *testing.T) {
		t.Parallel()
		testLedgerRevealed(t, newServer(t).at("198.18.3.2"))
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		testLedgerKilled(t, newPlainServer(t, "--max-up", "3MB/s").at("198.18.3.3"))
	})
	t.Run("stopped in the middle", func(t *testing.T) {
		t.Parallel()
		testLedgerCut(t, newPlainServer(t, "--max-up", "3MB/s").at("198.18.3.4"), "a.bin", func(s *server) { s.stop() })
	})
	t.Run("renamed in the middle", func(t *testing.T) {
		t.Parallel()
		testLedgerCut(t, newPlainServer(t, "--max-up", "3MB/s").at("198.18.3.9"), "c.bin", func(s *server) {
			require.NoError(t, os.Rename(filepath.Join(s.dir, "a.bin"), filepath.Join(s.dir, "c.bin")))
			s.published("c.bin", 30*time.Second)
			s.stop()
		})
	})
	for i, mode := range []string{"plain", "conservative"} {
		t.Run("libtorrent, "+mode, func(t *testing.T) {
			t.Parallel()
			requireLibtorrent(t)
			testLedgerLibtorrent(t, newServer(t, "--mode", mode).at(fmt.Sprintf("198.18.3.%d", 10+i)), clientIP(40+i))
		})
	}
}

func testLedgerPlain(t *testing.T, s *server) {
	a, b := content(1, 3<<20+5), content(2, 300_000)
	s.put("a.bin", a)
	s.put("dir/b.bin", b)
	s.put("small.txt", []byte("hello, swarm\n"))
	s.start()
	s.published("a.bin", 20*time.Second)
	s.published("dir/b.bin", 20*time.Second)
	s.published("small.txt", 20*time.Second)
	torrent := s.fetch("a.bin")
	want := map[string]ledger.Counts{}
	add := func(path string, class ledger.Class, n int64) {
		for _, p := range []string{path, ""} {
			c := want[p]
			c.Sent[class] += n
			want[p] = c
		}
	}

	whole, counted := s.tapped(clientIP(0), torrent, a)
	require.NoError(t, whole.run(nil))
	require.EqualValues(t, len(a), counted.blocks)
	add("a.bin", ledger.ClassPlain, counted.blocks)

	part, counted := s.tapped(clientIP(1), torrent, a)
	part.missing, part.want = part.missing[:10], part.want[:10*blockSize]
	require.NoError(t, part.run(nil))
	require.EqualValues(t, 10*blockSize, counted.blocks)
	add("a.bin", ledger.ClassPlain, counted.blocks)

	add("a.bin", ledger.ClassMetadata, int64(s.fetchMetadata(clientIP(2), torrent)))

	body, resp := s.get("small.txt")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	add("small.txt", ledger.ClassHTTP, int64(len(body)))
	body, resp = s.get("small.txt", "Range", "bytes=3-6")
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	add("small.txt", ledger.ClassHTTP, int64(len(body)))

	for _, left := range []int64{int64(len(a)), 1} {
		s.announce(clientIP(3), torrent, "started", left)
	}
	for range 3 { // it says so again and again
		s.announce(clientIP(3), torrent, "completed", 0)
	}
	for _, p := range []string{"a.bin", ""} {
		c := want[p]
		c.Completed, c.CompletedBytes, c.Peers = 1, int64(len(a)), 4
		want[p] = c
	}

	s.eventually(5*time.Second, "the ledger has everything", func() bool { return fmt.Sprint(s.sums()) == fmt.Sprint(want) })
	testLedgerCommand(t, s, want)
	s.stop()
	require.Equal(t, want, s.sums(), "after a clean stop")

	// A restart, and a rename while the server runs: the torrent is another one, the entry is not.
	s.start()
	s.published("a.bin", 20*time.Second)
	l, counted := s.tapped(clientIP(0), s.fetch("a.bin"), a)
	require.NoError(t, l.run(nil))
	add("a.bin", ledger.ClassPlain, counted.blocks)
	require.NoError(t, os.Rename(filepath.Join(s.dir, "a.bin"), filepath.Join(s.dir, "c.bin")))
	s.published("c.bin", 20*time.Second)
	want["c.bin"] = want["a.bin"]
	delete(want, "a.bin")
	l, counted = s.tapped(clientIP(0), s.fetch("c.bin"), a)
	require.NoError(t, l.run(nil))
	add("c.bin", ledger.ClassPlain, counted.blocks)
	s.stop()
	require.Equal(t, want, s.sums(), "after a restart and a rename")
}

// testLedgerCommand compares what "seedserver ledger" prints while the server runs.
func testLedgerCommand(t *testing.T, s *server, want map[string]ledger.Counts) {
	ask := func(args ...string) string {
		out, err := exec.Command(serverBinary(t), append([]string{"ledger", s.dir, "--state", s.state}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	rows, err := csv.NewReader(strings.NewReader(ask("--csv"))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, "today,this month,total,need,assist,rescue,plain,metadata,http,webseed,completed,saved,peers,file", strings.Join(rows[0], ","))
	got := map[string]string{}
	for _, row := range rows[1:] {
		got[row[len(row)-1]] = strings.Join(row[2:len(row)-1], ",")
	}
	for _, path := range []string{"a.bin", "small.txt"} {
		c := want[path]
		require.Equal(t, fmt.Sprintf("%d,0,0,0,%d,%d,%d,0,%d,%d,%d", c.Sent.Sum(), c.Sent[ledger.ClassPlain], c.Sent[ledger.ClassMetadata],
			c.Sent[ledger.ClassHTTP], c.Completed, c.Saved(), c.Peers), got[path])
	}
	require.Equal(t, "0,0,0,0,0,0,0,0,0,0,0", got["dir/b.bin"])

	var days []struct {
		Counts struct {
			Total int64            `json:"total"`
			Sent  map[string]int64 `json:"sent"`
		} `json:"counts"`
	}
	require.NoError(t, json.Unmarshal([]byte(ask("--by", "day", "--json")), &days))
	var total int64
	for _, day := range days {
		total += day.Counts.Total
	}
	all := want[""]
	require.Equal(t, all.Sent.Sum(), total)

	text := ask()
	require.Regexp(t, `(?m)^ +3\.\d MiB +3\.\d MiB +3\.\d MiB +1 +-\d+\.\d KiB +4  a\.bin$`, text)
	require.Regexp(t, `(?m)  all together$`, text)
	require.Contains(t, text, "1 more without traffic")
	require.Regexp(t, `(?m)^ +3\.\d MiB +3\.\d MiB +3\.\d MiB  plain$`, ask("--by", "class"))
	require.Regexp(t, `(?m) \d{4}-\d\d$`, ask("--by", "month"))
}

// testLedgerRevealed: the same where pieces are revealed one by one: nothing is sent plainly.
func testLedgerRevealed(t *testing.T, s *server) {
	a := content(3, 2<<20+5)
	s.put("a.bin", a)
	s.start()
	s.published("a.bin", 20*time.Second)
	var running sync.WaitGroup
	var blocks [2]int64
	torrent := s.fetch("a.bin")
	for i := range blocks {
		l, counted := s.tapped(clientIP(10+i), torrent, a)
		running.Go(func() {
			if err := l.runRevealed(); err != nil {
				t.Errorf("after %d bytes: %v", l.received, err)
			}
			blocks[i] = counted.blocks
		})
	}
	running.Wait()
	s.stop()
	sums := s.sums()
	c := sums["a.bin"]
	require.Equal(t, blocks[0]+blocks[1], c.Sent.Sum(), "%v", c.Sent)
	require.Zero(t, c.Sent[ledger.ClassPlain])
	require.Positive(t, c.Sent[ledger.ClassNeed])
	require.EqualValues(t, 2, c.Peers)
	require.Equal(t, c, sums[""])
}

// testLedgerKilled: after kill -9 the ledger has no more than was sent, and at most five seconds less.
func testLedgerKilled(t *testing.T, s *server) {
	rng := rand.New(rand.NewPCG(randomSeed(t), 0))
	a := content(4, 64<<20)
	s.put("a.bin", a)
	var before int64 // what the ledger has from earlier rounds
	for round := range 2 {
		s.start()
		s.published("a.bin", 30*time.Second)
		l, counted := s.tapped(clientIP(20+round), s.fetch("a.bin"), a)
		ended := make(chan error, 1)
		go func() { ended <- l.run(nil) }()
		counted.await(s.t)
		pause(5500*time.Millisecond + time.Duration(rng.IntN(3000))*time.Millisecond)
		killed := time.Now()
		s.kill()
		require.Error(t, <-ended)
		sum := s.sums()["a.bin"].Sent.Sum()
		got, least := sum-before, counted.before(killed.Add(-5*time.Second))
		before = sum
		t.Logf("received %d bytes, %d of them five seconds before; the ledger has %d", counted.blocks, least, got)
		require.Positive(t, least)
		require.GreaterOrEqual(t, got, least)
		require.LessOrEqual(t, got, counted.blocks)
	}
}

// testLedgerCut: the end of a torrent in the middle of a download loses nothing: what the client got, the ledger has. What was in the
// buffers of the two ends when the connection was closed may be more.
func testLedgerCut(t *testing.T, s *server, path string, cut func(s *server)) {
	a := content(5, 48<<20)
	s.put("a.bin", a)
	s.start()
	s.published("a.bin", 30*time.Second)
	l, counted := s.tapped(clientIP(30), s.fetch("a.bin"), a)
	ended := make(chan error, 1)
	go func() { ended <- l.run(nil) }()
	counted.await(s.t)
	pause(2 * time.Second)
	cut(s)
	require.Error(t, <-ended)
	require.Positive(t, counted.blocks)
	got := s.sums()[path].Sent.Sum()
	t.Logf("received %d, in the ledger %d", counted.blocks, got)
	require.GreaterOrEqual(t, got, counted.blocks)
	require.LessOrEqual(t, got, counted.blocks+1<<20)
}

// testLedgerLibtorrent: the ledger has what libtorrent says that it took, redundant blocks included, give or take those in flight
// when it closes; and what it took of the info dict.
func testLedgerLibtorrent(t *testing.T, s *server, from string) {
	a := content(7, 8<<20)
	s.put("a.bin", a)
	s.start()
	s.published("a.bin", 20*time.Second)
	infoBytes := len(s.fetch("a.bin").InfoBytes)
	ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/python3", "testdata/leech.py", s.magnet("a.bin"), t.TempDir(), from, "16881").Output()
	require.NoError(t, err, "%s", out)
	took, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	require.NoError(t, err)
	s.stop()
	c := s.sums()["a.bin"]
	blocks := c.Sent.Sum() - c.Sent[ledger.ClassMetadata]
	t.Logf("libtorrent took %d, the ledger has %v", took, c.Sent)
	require.GreaterOrEqual(t, blocks, took)
	require.LessOrEqual(t, blocks, took+pipeline*blockSize)
	require.EqualValues(t, infoBytes, c.Sent[ledger.ClassMetadata])
}
