package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// longDir is a Source whose root has many entries. last is the first entry of the list given last.
type longDir struct {
	*memory
	entries int
	mu      sync.Mutex
	last    weak.Pointer[web.Entry]
}

func (d *longDir) Lookup(path string) (web.Entry, bool) {
	e, ok := d.memory.Lookup(path)
	e.Files = d.entries
	return e, ok
}

func (d *longDir) List(dir string) ([]web.Entry, bool) {
	list := make([]web.Entry, d.entries)
	for i := range list {
		name := fmt.Sprintf("file %06d", i)
		list[i] = web.Entry{Path: name, Name: name, Size: 1, State: web.Settling}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = weak.Make(&list[0])
	return list, true
}

// slowReader takes nothing of an answer before takes is closed, or the deadline that is set for it.
type slowReader struct {
	*httptest.ResponseRecorder
	takes    chan struct{}
	deadline time.Time
	ended    error
}

func newSlowReader() *slowReader {
	return &slowReader{ResponseRecorder: httptest.NewRecorder(), takes: make(chan struct{})}
}

func (r *slowReader) SetWriteDeadline(t time.Time) error {
	r.deadline = t
	return nil
}

func (r *slowReader) Write(b []byte) (int, error) {
	var late <-chan time.Time
	if !r.deadline.IsZero() {
		late = time.After(time.Until(r.deadline))
	}
	select {
	case <-r.takes:
		return r.ResponseRecorder.Write(b)
	case <-late:
		r.ended = os.ErrDeadlineExceeded
		return 0, r.ended
	}
}

func ask(accept string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept", accept)
	return r
}

// TestSlowReadersOfAPage: who is slow to take a page of a long list holds the rows of the page, not all of the list.
func TestSlowReadersOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &longDir{memory: newMemory(), entries: 20_000}
		h := web.New(web.Config{Source: d})
		r := newSlowReader()
		go h.ServeHTTP(r, ask("text/html"))
		synctest.Wait() // it writes
		runtime.GC()
		require.Nil(t, d.last.Value())
		close(r.takes)
		synctest.Wait()
		require.Contains(t, r.Body.String(), "file 000999")
	})
}

// TestSlowReadersOfLongLists: they are few at a time, and for half a minute at most if they take nothing; others are told to come
// again, and get the pages and what is short.
func TestSlowReadersOfLongLists(t *testing.T) {
	for _, accept := range []string{"application/json", "text/plain"} {
		t.Run(accept, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &longDir{memory: newMemory(), entries: 5000}
				h := web.New(web.Config{Source: d})
				slow := make([]*slowReader, 50)
				for i := range slow {
					slow[i] = newSlowReader()
					go h.ServeHTTP(slow[i], ask(accept))
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				holding := 0
				for _, r := range slow {
					if r.Code == http.StatusOK && r.ended == nil {
						holding++
					}
				}
				require.LessOrEqual(t, holding, 5)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, ask(accept))
				require.Equal(t, http.StatusServiceUnavailable, w.Code)
				require.NotEmpty(t, w.Header().Get("Retry-After"))
				w = httptest.NewRecorder()
				h.ServeHTTP(w, ask("text/html"))
				require.Equal(t, http.StatusOK, w.Code)

				time.Sleep(time.Minute)
				synctest.Wait()
				w = httptest.NewRecorder()
				h.ServeHTTP(w, ask(accept))
				require.Equal(t, http.StatusOK, w.Code)
				require.Contains(t, w.Body.String(), "file 004999")
				for _, r := range slow {
					if r.ended == nil {
						close(r.takes)
					}
				}
			})
		})
	}
}
