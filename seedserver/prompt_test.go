package seedserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStalledReader: who takes nothing of an answer loses the connection after a minute; who takes a little now and then gets all of it,
// and what is sent late does not count as taken late.
func TestStalledReader(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 64<<10)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, ended := make(pipes), make(chan error, 1)
		broken := make(chan time.Duration, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/late" {
				time.Sleep(5 * time.Minute)
			}
			began := time.Now()
			if _, err := w.Write(content); err != nil {
				broken <- time.Since(began)
			}
		})
		go func() { ended <- serveHTTP(ctx, promptTakers(l), handler, slog.New(slog.DiscardHandler)) }()
		connect := func(path string) *http.Response {
			client, server := net.Pipe()
			t.Cleanup(func() { client.Close() })
			l <- server
			_, err := io.WriteString(client, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
			require.NoError(t, err)
			answer, err := http.ReadResponse(bufio.NewReaderSize(client, 16), nil)
			require.NoError(t, err)
			return answer
		}
		stalled := connect("/")
		require.LessOrEqual(t, <-broken, stallTime+stallStep)
		_, err := io.Copy(io.Discard, stalled.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)

		for _, path := range []string{"/", "/late"} {
			slow, buf, n := connect(path), make([]byte, 500), 0
			for n < len(content) {
				time.Sleep(50 * time.Second)
				m, err := slow.Body.Read(buf)
				require.NoError(t, err)
				n += m
			}
		}
		cancel()
		<-ended
		require.Empty(t, broken)
	})
}

// TestTakenFromTheKernel: a reader so slow that nothing can be written for minutes is not given up while it takes what waits for it.
func TestTakenFromTheKernel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		began := time.Now()
		conn := &promptConn{Conn: server, patience: stallTime, acknowledged: func(net.Conn) (uint64, bool) { // one a minute, for ten minutes
			return uint64(min(time.Since(began), 10*time.Minute) / time.Minute), true
		}}
		_, err := conn.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 11*time.Minute, time.Since(began))
	})
}

// TestTakenByNobody: what the kernel takes is not taken by the other end, where the difference is known.
func TestTakenByNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		ended := make(chan struct{})
		go func() { // the buffer of the kernel, which has room now and then
			defer close(ended)
			for {
				if _, err := client.Read(make([]byte, 1)); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		}()
		conn := &promptConn{Conn: server, patience: stallTime, acknowledged: func(net.Conn) (uint64, bool) { return 5, true }}
		began := time.Now()
		_, err := conn.Write(make([]byte, 1000))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.LessOrEqual(t, time.Since(began), stallTime+stallStep)
		client.Close()
		<-ended
	})
}

// TestAcknowledged: what the other end has taken is known, of a connection that atMost and promptTakers return as well.
func TestAcknowledged(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer inner.Close()
	client, err := net.Dial("tcp", inner.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := promptTakers(inner).Accept()
	require.NoError(t, err)
	defer server.Close()
	conn := server.(*promptConn)
	require.Equal(t, stallLoopback, conn.patience)
	before, known := conn.acknowledged(conn.Conn)
	if !known {
		return // this system does not tell
	}
	_, err = server.Write(make([]byte, 1000))
	require.NoError(t, err)
	_, err = io.ReadFull(client, make([]byte, 1000))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		acked, _ := conn.acknowledged(conn.Conn)
		return acked >= before+1000
	}, 10*time.Second, time.Millisecond)
}

// TestDeadlinesThatAreSet: those of whoever uses the connection hold, too, if they are sooner, be it while something is written.
func TestDeadlinesThatAreSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		conn := &promptConn{Conn: server, patience: stallTime, acknowledged: acknowledged}
		for _, set := range []func(time.Time) error{conn.SetDeadline, conn.SetWriteDeadline} {
			began := time.Now()
			require.NoError(t, set(began.Add(10*time.Second)))
			_, err := conn.Write([]byte("x"))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, 10*time.Second, time.Since(began))
		}
		require.NoError(t, conn.SetWriteDeadline(time.Time{}))
		time.AfterFunc(20*time.Second, func() { conn.SetWriteDeadline(time.Now()) })
		began := time.Now()
		_, err := conn.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 20*time.Second, time.Since(began))
	})
}

// TestStalledStream: a client of HTTP/2 that opens no window for an answer loses it, and keeps its connection.
func TestStalledStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stream{window: make(chan int)}
		broken := make(chan error, 1)
		handler := promptStreams(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Minute) // waiting is not stalling
			_, err := w.Write(make([]byte, 32<<10))
			broken <- err
		}))
		r := httptest.NewRequest("GET", "/", nil)
		r.ProtoMajor = 2
		go handler.ServeHTTP(w, r)
		for range 5 {
			time.Sleep(50 * time.Second)
			w.window <- streamWrite
		}
		began := time.Now()
		require.ErrorIs(t, <-broken, os.ErrDeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(began))
	})
}

// stream is an answer of which as much is taken as there is a window for.
type stream struct {
	http.ResponseWriter
	window   chan int
	deadline time.Time
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *stream) Write(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if s.deadline.IsZero() {
			n += <-s.window
			continue
		}
		select {
		case more := <-s.window:
			n += more
		case <-time.After(time.Until(s.deadline)):
			return n, os.ErrDeadlineExceeded
		}
	}
	return len(b), nil
}

// TestStreamsOfHTTP2: a long answer arrives whole over HTTP/2, and what is left in buffers when the handler returns.
func TestStreamsOfHTTP2(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 100<<10)
	srv := httptest.NewUnstartedServer(promptStreams(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begin")
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		w.Write(content)
		io.WriteString(w, "end")
	})))
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{}
	srv.StartTLS()
	defer srv.Close()
	answer, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 2, answer.ProtoMajor)
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "begin"+string(content)+"end", string(got))
}
