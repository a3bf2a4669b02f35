package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// opened counts how often content is opened, and may fail or wait.
type opened struct {
	*memory
	n    atomic.Int64
	fail atomic.Bool
	wait bool
}

func (o *opened) Open(ctx context.Context, e web.Entry) (io.ReadSeekCloser, error) {
	o.n.Add(1)
	if o.wait {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if o.fail.Load() {
		return nil, errors.New("input/output error")
	}
	return o.memory.Open(ctx, e)
}

const readmeOf = `<article class="card readme"`

func TestReadme(t *testing.T) {
	m := &opened{memory: newMemory()}
	m.add("README.md", []byte("# Welcome\n\n[song](music/song.flac) ![x](https://elsewhere.example/x.png)\n"))
	m.add("lower/readme.MD", []byte("*lower*"))
	m.add("other/README.txt", []byte("*plain*"))
	m.add("long/README.md", []byte(strings.Repeat("*a*\n", 40<<10)))
	m.add("none/README.md", nil)
	m.addUnit("unit", map[string][]byte{"README.md": []byte("*top*"), "sub/README.md": []byte("*sub*")})
	m.put(web.Entry{Path: "pending/README.md", Size: 8, State: web.Hashing})
	m.put(web.Entry{Path: "out/README.md", Size: 8, State: web.LeftOut})
	m.put(web.Entry{Path: "dir/README.md", Size: 8, Dir: true})
	for _, name := range []string{"pending/README.md", "out/README.md", "dir/README.md"} {
		m.content[name] = []byte(secret)
	}
	h := web.New(web.Config{Source: m})

	page := body(t, get(h, "/", "Accept", browser))
	requireWellFormed(t, page)
	_, readme, ok := strings.Cut(page, readmeOf)
	require.True(t, ok)
	require.Contains(t, readme, "<h2>Welcome</h2>")
	require.Contains(t, readme, `<a href="music/song.flac">song</a>`)
	require.Contains(t, readme, `<a href="https://elsewhere.example/x.png" rel="nofollow noreferrer">x</a>`)
	require.NotContains(t, page, "<img")
	require.Less(t, strings.Index(page, "</table>"), strings.Index(page, readmeOf), "it is below the list")

	for target, want := range map[string]string{
		"/lower/": "<em>lower</em>", "/unit/": "<em>top</em>", "/unit/sub/": "<em>sub</em>",
		"/other/": "", "/long/": "", "/none/": "", "/pending/": "", "/out/": "", "/dir/": "",
	} {
		page := body(t, get(h, target, "Accept", browser))
		require.Equal(t, want != "", strings.Contains(page, readmeOf), target)
		require.Contains(t, page, want)
		require.NotContains(t, page, secret)
	}
	for _, accept := range []string{"text/plain", "application/json"} {
		require.NotContains(t, body(t, get(h, "/", "Accept", accept)), "Welcome")
	}

	before := m.n.Load()
	for range 10 {
		require.Contains(t, body(t, get(h, "/", "Accept", browser)), "Welcome")
	}
	require.Equal(t, before, m.n.Load(), "it is rendered once")
}

// The index does without a README that cannot be read, and has it as soon as it
// can be.
func TestReadmeFails(t *testing.T) {
	m := &opened{memory: newMemory()}
	m.add("README.md", []byte("*hello*"))
	m.fail.Store(true)
	h := web.New(web.Config{Source: m})
	answer := get(h, "/", "Accept", browser)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.NotContains(t, body(t, answer), readmeOf)
	m.fail.Store(false)
	answer = get(h, "/", "Accept", browser, "If-None-Match", answer.Header.Get("ETag"))
	require.Contains(t, body(t, answer), "<em>hello</em>")
}

// The index does not wait for a README that is read at the pace of a limit.
func TestReadmeTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &opened{memory: newMemory(), wait: true}
		m.add("README.md", []byte("*hello*"))
		h := web.New(web.Config{Source: m})
		start := time.Now()
		done := make(chan string)
		for range 3 {
			go func() { done <- body(t, get(h, "/", "Accept", browser)) }()
		}
		for range 3 {
			require.NotContains(t, <-done, readmeOf)
		}
		require.Equal(t, 2*time.Second, time.Since(start))
		require.EqualValues(t, 1, m.n.Load(), "the others wait for the first")
	})
}

// What is kept is bounded, and many who ask at once see the same.
func TestReadmesAreMany(t *testing.T) {
	m := &opened{memory: newMemory()}
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		m.add("dir "+string(c)+"/README.md", []byte("*"+string(c)+"*"))
	}
	h := web.New(web.Config{Source: m})
	for range 3 {
		for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
			require.Contains(t, body(t, get(h, "/dir%20"+string(c)+"/", "Accept", browser)), "<em>"+string(c)+"</em>")
		}
	}
	require.Less(t, m.n.Load(), int64(3*52))
}
