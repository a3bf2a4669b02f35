package seedserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipes is a listener for the ends of pipes.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestBodiesThatDoNotCome: who promises a body and does not send it keeps its connection for some seconds, whether the body is read or
// not. A request without one may last.
func TestBodiesThatDoNotCome(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"read":     func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		"not read": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
		"long": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(5 * time.Minute):
			case <-r.Context().Done():
			}
			io.WriteString(w, "whole")
		},
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				l, ended := make(pipes), make(chan error, 1)
				go func() { ended <- serveHTTP(ctx, l, handler, slog.New(slog.DiscardHandler)) }()
				client, server := net.Pipe()
				l <- server
				request := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
				if name == "long" {
					request = "GET / HTTP/1.0\r\n\r\n"
				}
				_, err := io.WriteString(client, request)
				require.NoError(t, err)
				began := time.Now()
				require.NoError(t, client.SetReadDeadline(began.Add(10*time.Minute)))
				answer, err := io.ReadAll(client)
				require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the connection is open still")
				if name == "long" {
					require.Contains(t, string(answer), "whole")
					require.Equal(t, 5*time.Minute, time.Since(began))
				} else {
					require.LessOrEqual(t, time.Since(began), time.Minute)
				}
				cancel()
				<-ended
			})
		})
	}
}
