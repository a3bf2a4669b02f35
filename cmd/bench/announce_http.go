package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// announced is what a load on a tracker brought.
type announced struct {
	seconds float64
	waits   *histogram
	lost    int // UDP: not answered in half a second
}

// announceHTTP lets two workers of each owner announce random ones of its peers for window, one after the other, each worker over its
// connection, or over a new one each time.
func announceHTTP(ctx context.Context, at string, keep bool, window time.Duration) (*announced, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waits := make([]histogram, 2*owners)
	begin := time.Now()
	var wg sync.WaitGroup
	for w := range waits {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			var c *visitor
			for ctx.Err() == nil && time.Since(begin) < window {
				asked := time.Now()
				var err error
				if c == nil {
					if c, err = visit(ctx, at, w/2); err != nil {
						cancel(err)
						return
					}
				}
				if err = c.announce(w/2*owned+rng.IntN(owned), keep); err != nil {
					cancel(err)
				}
				if !keep || err != nil {
					c.conn.Close()
					c = nil
				}
				waits[w].add(time.Since(asked))
			}
			if c != nil {
				c.conn.Close()
			}
		})
	}
	wg.Wait()
	return sum(ctx, begin, waits)
}

// sum adds up what workers waited.
func sum(ctx context.Context, begin time.Time, waits []histogram) (*announced, error) {
	res := &announced{seconds: time.Since(begin).Seconds(), waits: &histogram{}}
	for i := range waits {
		res.waits.merge(&waits[i])
	}
	return res, context.Cause(ctx)
}

// visitor is a connection to a tracker over HTTP, with as little around it as there can be: the load is on the machine that is measured.
type visitor struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func visit(ctx context.Context, at string, owner int) (*visitor, error) {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: ownerIP(owner)}, Timeout: 10 * time.Second}).DialContext(ctx, "tcp4", at)
	if err != nil {
		return nil, err
	}
	return &visitor{conn: conn, in: bufio.NewReader(conn)}, nil
}

func (v *visitor) announce(peer int, keep bool) error {
	v.out = append(append(append(v.out[:0], "GET /announce?"...), trackedQuery(peer)...), " HTTP/1.1\r\nHost: localhost\r\n"...)
	if !keep {
		v.out = append(v.out, "Connection: close\r\n"...)
	}
	v.out = append(v.out, "\r\n"...)
	_ = v.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := v.conn.Write(v.out); err != nil {
		return err
	}
	res, err := http.ReadResponse(v.in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && refused(body) {
		err = fmt.Errorf("the tracker refused: %.100q", body)
	}
	return err
}
