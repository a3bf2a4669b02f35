package httptracker_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

const announceQuery = "info_hash=%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F%20%21%22%23&peer_id=-XX0100-abcdefghijkl&port=6881&left=5&key=1"

// site is a front with a web server behind it that says what it was asked for.
type site struct {
	t    *testing.T
	addr string
}

func newSite(t *testing.T, cfg httptracker.FrontConfig) site {
	if cfg.Handler == nil {
		cfg.Handler = httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{}), Policy: tracker.Policy{Jitter: -1}})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	front := httptracker.NewFront(cfg)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "net/http %s %s %q %s", r.Method, r.URL.Path, body, r.Header.Get("X"))
	})}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := front.Serve(ctx, l); !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
	})
	wg.Go(func() { server.Serve(front) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		server.Close()
	})
	return site{t, l.Addr().String()}
}

// dial returns a connection that gives up in time.
func (s site) dial() net.Conn {
	c, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// answers sends bytes and returns the bodies of n answers; who gave them shows
// in them.
func (s site) answers(n int, request string) []string {
	c := s.dial()
	_, err := io.WriteString(c, request)
	require.NoError(s.t, err)
	r := bufio.NewReader(c)
	var bodies []string
	for range n {
		res, err := http.ReadResponse(r, nil)
		require.NoError(s.t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(s.t, err)
		bodies = append(bodies, string(body))
	}
	return bodies
}

func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

var (
	announceRequest = get("/announce?" + announceQuery)
	scrapeRequest   = get("/scrape?" + announceQuery[:strings.IndexByte(announceQuery, '&')])
)

// A connection may hold requests for both, one after the other: none is lost,
// none is answered twice.
func TestFrontGivesEachRequestToOne(t *testing.T) {
	s := newSite(t, httptracker.FrontConfig{})
	bodies := s.answers(5, announceRequest+announceRequest+scrapeRequest+get("/page", "X: 1")+announceRequest)
	for i, body := range bodies {
		require.Equal(t, i < 3, strings.HasPrefix(body, "d"), "answer %d: %q", i, body)
	}
	require.Equal(t, `net/http GET /page "" 1`, bodies[3])
	require.Equal(t, `net/http GET /announce "" `, bodies[4], "a connection goes over for good")

	for request, want := range map[string]string{
		get("/"):              `net/http GET / "" `,
		get("/announce.html"): `net/http GET /announce.html "" `,
		"POST /announce?" + announceQuery + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":     `net/http POST /announce "abc" `,
		get("/announce?"+announceQuery, "X: 1"):                                                        `net/http GET /announce "" 1`,
		"GET /announce?" + announceQuery + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + "GET": `net/http GET /announce "GET" `,
		"GET /announce?" + announceQuery + " HTTP/1.1\nHost: x\n\n":                                    `net/http GET /announce "" `,
		"PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n":        `net/http PUT /x "GET" `,
		"GET /announce?" + announceQuery + " HTTP/1.0\r\n\r\n":                                         `net/http GET /announce "" `,
		get("/announce?" + announceQuery + "&x=" + strings.Repeat("x", 5000)):                          `net/http GET /announce "" `,
	} {
		require.Equal(t, []string{want}, s.answers(1, request), "%.60q", request)
	}
}

// A request that comes byte by byte is answered as one that comes at once.
func TestFrontByteByByte(t *testing.T) {
	s := newSite(t, httptracker.FrontConfig{})
	c := s.dial()
	r := bufio.NewReader(c)
	for _, request := range []string{announceRequest, scrapeRequest, get("/announce-ments")} {
		for i := range len(request) {
			c.Write([]byte{request[i]})
		}
		res, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
}

// The front answers as the handler does behind net/http, header and all.
func TestFrontAnswersLikeNetHTTP(t *testing.T) {
	cfg := httptracker.Config{Store: peerstore.New(peerstore.Config{}), Policy: tracker.Policy{Jitter: -1}}
	s := newSite(t, httptracker.FrontConfig{Handler: httptracker.New(cfg)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: httptracker.New(cfg)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	long := "/scrape?info_hash=aaaaaaaaaaaaaaaaaaaa"
	for i := range 40 {
		long += fmt.Sprintf("&info_hash=aaaaaaaaaaaaaaaaaa%02d", i)
	}
	for _, request := range []string{
		announceRequest, scrapeRequest, get("/announce?info_hash=x"), get(long), get("/announce?"+announceQuery, "Connection: close"),
	} {
		var answers [2]*http.Response
		var bodies [2][]byte
		for i, addr := range []string{s.addr, l.Addr().String()} {
			c, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			defer c.Close()
			io.WriteString(c, request)
			answers[i], err = http.ReadResponse(bufio.NewReader(c), nil)
			require.NoError(t, err)
			bodies[i], err = io.ReadAll(answers[i].Body)
			require.NoError(t, err)
			_, err = http.ParseTime(answers[i].Header.Get("Date"))
			require.NoError(t, err)
			answers[i].Header.Del("Date")
		}
		require.Equal(t, string(bodies[1]), string(bodies[0]))
		require.Equal(t, answers[1].Header, answers[0].Header)
		require.Equal(t, answers[1].StatusCode, answers[0].StatusCode)
		require.Equal(t, answers[1].ContentLength, answers[0].ContentLength)
		require.Equal(t, answers[1].Close, answers[0].Close)
	}
}

// What a handler is told of a request does not depend on who has read it.
func TestFrontTellsTheHandler(t *testing.T) {
	type seen struct{ client, agent, target, host, local string }
	var mu sync.Mutex
	var all []seen
	s := newSite(t, httptracker.FrontConfig{Handler: httptracker.New(httptracker.Config{
		Store: peerstore.New(peerstore.Config{}),
		Log: func(a httptracker.Access) {
			mu.Lock()
			defer mu.Unlock()
			local := a.Request.Context().Value(http.LocalAddrContextKey).(net.Addr)
			all = append(all, seen{a.Client.Addr().String(), a.Request.UserAgent(), a.Target(), a.Request.Host, local.String()})
		},
	})})
	target := "/announce/k?" + announceQuery
	s.answers(2, get(target, "User-Agent: a")+get(target, "User-Agent: b"))
	want := seen{"127.0.0.1", "a", "/announce/masked?" + announceQuery, "x", s.addr}
	second := want
	second.agent = "b"
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(all) == 2
	}, 10*time.Second, time.Millisecond)
	require.Equal(t, []seen{want, second}, all)
}

// Connections that send nothing, or slowly, are given up, and others are
// answered meanwhile.
func TestFrontGivesUpSlowClients(t *testing.T) {
	s := newSite(t, httptracker.FrontConfig{Timeout: time.Second, Idle: 300 * time.Millisecond})
	idle := s.dial()
	io.WriteString(idle, announceRequest)
	slow := s.dial()
	io.WriteString(slow, announceRequest[:30])
	silent := s.dial()
	require.Len(t, s.answers(1, announceRequest), 1)
	for _, c := range []net.Conn{silent, slow, idle} {
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err, "the other side closes")
	}
}

// There is a bound to connections, and room again when one has gone.
func TestFrontBoundsConnections(t *testing.T) {
	s := newSite(t, httptracker.FrontConfig{MaxConns: 2})
	first, second := s.dial(), s.dial()
	for _, c := range []net.Conn{first, second} { // they are in for sure
		io.WriteString(c, announceRequest)
		_, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
	}
	third := s.dial()
	n, _ := io.Copy(io.Discard, third)
	require.Zero(t, n)
	first.Close()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return false
		}
		defer c.Close()
		io.WriteString(c, announceRequest)
		_, err = http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)

	io.WriteString(second, get("/page"))
	_, err := http.ReadResponse(bufio.NewReader(second), nil)
	require.NoError(t, err)
}

// Files behind the front are sent as without it.
func TestFrontPassesTCP(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	handler := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{})})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	front := httptracker.NewFront(httptracker.FrontConfig{Handler: handler})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- front.Serve(ctx, l) }()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(content))
	}), ConnState: func(c net.Conn, state http.ConnState) {
		_, ok := c.(io.ReaderFrom)
		require.True(t, ok || state != http.StateNew, "no sendfile")
	}}
	go server.Serve(front)
	res, err := http.Get("http://" + l.Addr().String() + "/x")
	require.NoError(t, err)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.Equal(t, l.Addr(), front.Addr())
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	server.Close()
	_, err = front.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}
