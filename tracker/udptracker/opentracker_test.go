package udptracker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// announcement is a line of the script: a peer on 127.0.0.N, port 1000+N.
type announcement struct {
	peer  byte
	event tracker.Event
	left  int64
	want  int
}

// script is a swarm that grows, finishes and shrinks.
var script = []announcement{
	{2, tracker.EventStarted, 1000, 50},
	{3, tracker.EventStarted, 1000, 50},
	{4, tracker.EventStarted, 0, 50},
	{2, tracker.EventNone, 500, 50},
	{5, tracker.EventStarted, 1000, 0},
	{5, tracker.EventNone, 1000, 1},
	{2, tracker.EventCompleted, 0, 50},
	{3, tracker.EventNone, 100, 50},
	{4, tracker.EventStopped, 0, 50},
	{3, tracker.EventNone, 100, 50},
	{3, tracker.EventCompleted, 0, 50},
	{3, tracker.EventCompleted, 0, 50},
	{5, tracker.EventNone, 1000, 50},
	{2, tracker.EventStopped, 0, 50},
	{5, tracker.EventStopped, 1000, 50},
	{3, tracker.EventStopped, 0, 50},
}

var scriptHash = [20]byte([]byte("opentracker-script-1"))

// said is what an answer says, in both protocols.
type said struct {
	complete, incomplete int
	interval             time.Duration
	peers                []string
	fields               []string // of HTTP: the keys
	downloaded           int64    // of HTTP: -1 if it is not there
}

func (a announcement) request() tracker.AnnounceRequest {
	req := tracker.AnnounceRequest{
		InfoHash: scriptHash, PeerID: [20]byte([]byte(fmt.Sprintf("-XX0001-%012d", a.peer))), Event: a.event, Left: a.left, NumWant: a.want,
		Key: uint32(a.peer),
	}
	req.Addr = netip.AddrPortFrom(netip.Addr{}, 1000+uint16(a.peer))
	return req
}

func (a announcement) local() net.IP { return net.IPv4(127, 0, 0, a.peer) }

// overUDP makes the announce over UDP.
func (a announcement) overUDP(t *testing.T, port int) said {
	c, err := net.DialUDP("udp4", &net.UDPAddr{IP: a.local()}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	require.NoError(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 2048)
	_, err = c.Write(udptracker.AppendConnectRequest(nil, 1))
	require.NoError(t, err)
	n, err := c.Read(buf)
	require.NoError(t, err)
	id, err := udptracker.ParseConnectResponse(buf[:n])
	require.NoError(t, err)
	req := a.request()
	_, err = c.Write(udptracker.AppendAnnounceRequest(nil, id, 2, &req, ""))
	require.NoError(t, err)
	n, err = c.Read(buf)
	require.NoError(t, err)
	var res tracker.AnnounceResponse
	require.NoError(t, udptracker.ParseAnnounceResponse(buf[:n], false, &res))
	return newSaid(res.Complete, res.Incomplete, &res)
}

// get returns the answer to the announce over HTTP.
func (a announcement) get(port int) ([]byte, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: a.local()}}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	req := a.request()
	query := fmt.Sprintf("info_hash=%s&peer_id=%s&port=%d&uploaded=0&downloaded=0&left=%d&numwant=%d&key=%08x&compact=1",
		url.QueryEscape(string(req.InfoHash[:])), req.PeerID[:], req.Addr.Port(), req.Left, req.NumWant, req.Key)
	if req.Event != tracker.EventNone {
		query += "&event=" + req.Event.String()
	}
	r, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/announce?%s", port, query))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if kind := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || kind != "text/plain" {
		return nil, fmt.Errorf("status %s, %s", r.Status, kind)
	}
	return io.ReadAll(r.Body)
}

// overHTTP makes the announce over HTTP.
func (a announcement) overHTTP(t *testing.T, port int) said {
	body, err := a.get(port)
	require.NoError(t, err)
	doc, err := bencode.Decode(body)
	require.NoError(t, err)
	number := func(key string) int64 {
		n, ok := doc.Get(key).Int()
		require.True(t, ok, "%s in %q", key, body)
		return n
	}
	var res tracker.AnnounceResponse
	res.Peers4, _ = doc.Get("peers").Bytes()
	s := newSaid(int(number("complete")), int(number("incomplete")), &res)
	s.interval, s.downloaded = time.Duration(number("interval"))*time.Second, -1
	require.LessOrEqual(t, number("min interval"), number("interval"))
	for c := doc.Cursor(); c.Next(); {
		s.fields = append(s.fields, string(c.Key()))
	}
	if slices.Contains(s.fields, "downloaded") {
		s.downloaded = number("downloaded")
	}
	return s
}

func newSaid(complete, incomplete int, res *tracker.AnnounceResponse) said {
	s := said{complete: complete, incomplete: incomplete, interval: res.Interval}
	for addr := range res.Peers() {
		s.peers = append(s.peers, addr.String())
	}
	slices.Sort(s.peers)
	return s
}

// opentracker starts one that knows the torrent of the script and returns its
// port.
func opentracker(t *testing.T) int {
	name, err := exec.LookPath("opentracker")
	if err != nil {
		if os.Getenv("SEEDSERVER_INTEROP") == "require" {
			t.Fatal("opentracker is missing: apt-get install opentracker")
		}
		t.Skip("opentracker is missing: apt-get install opentracker")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "white.txt"), fmt.Appendf(nil, "%x\n", scriptHash), 0o644))
	for d := dir; strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		require.NoError(t, os.Chmod(d, 0o755)) // it gives up root's rights
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-P", fmt.Sprint(port), "-d", dir, "-u", "nobody", "-w", "white.txt")
	cmd.Dir = dir
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
	})
	require.Eventually(t, func() bool {
		body, err := announcement{9, tracker.EventNone, 1, 0}.get(port)
		return err == nil && !bytes.Contains(body, []byte("failure reason")) // it reads its list after it has begun to listen
	}, 10*time.Second, 10*time.Millisecond)
	_, err = announcement{9, tracker.EventStopped, 1, 0}.get(port)
	require.NoError(t, err)
	return port
}

// ours starts a tracker of ours on one port for both protocols and returns it.
func ours(t *testing.T) int {
	store := peerstore.New(peerstore.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	l, conn := onePort(t, ctx)
	port := l.Addr().(*net.TCPAddr).Port
	done := make(chan error)
	go func() { done <- udptracker.New(udptracker.Config{Store: store}).Serve(ctx, conn) }()
	server := &http.Server{Handler: httptracker.New(httptracker.Config{Store: store})}
	go server.Serve(l)
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-done
	})
	return port
}

// onePort listens on one port number over TCP and UDP.
func onePort(t *testing.T, ctx context.Context) (net.Listener, *net.UDPConn) {
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if conns, err := udptracker.Listen(ctx, l.Addr().String(), 1); err == nil {
			return l, conns[0]
		}
		require.NoError(t, l.Close()) // the number is taken over UDP
	}
	t.Fatal("no port number is free over both TCP and UDP")
	return nil, nil
}

// The counts, the fields and the peers are those of opentracker, but for what is
// meant to differ: we do not tell a peer of itself, nor one that has finished of
// seeds, and say by HTTP what address we saw (BEP 24); opentracker leaves
// "downloaded" out when a peer stops.
func TestAnswersLikeOpentracker(t *testing.T) {
	for _, protocol := range []string{"udp", "http"} {
		t.Run(protocol, func(t *testing.T) {
			theirs, port := opentracker(t), ours(t)
			ask := announcement.overUDP
			if protocol == "http" {
				ask = announcement.overHTTP
			}
			seeds, finished := map[string]bool{}, map[byte]bool{}
			for i, a := range script {
				me := fmt.Sprintf("127.0.0.%d:%d", a.peer, 1000+int(a.peer))
				seeds[me] = a.left == 0
				finished[a.peer] = finished[a.peer] || a.event == tracker.EventCompleted
				x, y := ask(a, t, theirs), ask(a, t, port)
				require.Equal(t, [2]int{x.complete, x.incomplete}, [2]int{y.complete, y.incomplete}, "announce %d", i)
				require.InDelta(t, 1800, x.interval.Seconds(), 200)
				require.InDelta(t, 1800, y.interval.Seconds(), 200)
				if a.want < 50 {
					require.Equal(t, len(x.peers), len(y.peers), "announce %d", i)
				} else {
					want := slices.DeleteFunc(x.peers, func(p string) bool { return p == me || finished[a.peer] && seeds[p] })
					require.ElementsMatch(t, want, y.peers, "announce %d", i)
				}
				y.fields = slices.DeleteFunc(y.fields, func(key string) bool {
					return key == "external ip" || key == "downloaded" && a.event == tracker.EventStopped
				})
				require.Equal(t, x.fields, y.fields, "announce %d", i)
				if x.downloaded >= 0 {
					require.Equal(t, x.downloaded, y.downloaded, "announce %d", i)
				}
			}
		})
	}
}
