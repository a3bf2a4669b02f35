package accesslog

import (
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Handler logs the requests that Next answers. It may be used concurrently.
type Handler struct {
	Next http.Handler
	// Log gets a line for each request, in one Write, when it is answered.
	Log       io.Writer
	Addresses Addresses
	// Client returns who sent the request, false if it cannot tell.
	Client func(*http.Request) (netip.Addr, bool)
	// Target returns the path and query to log. If nil, they are logged as they
	// were sent.
	Target func(*http.Request) string
	// Sample leaves lines out when there are too many. If nil, all are logged.
	Sample *Sample
}

// exchange notes what is answered.
type exchange struct {
	http.ResponseWriter
	status int
	bytes  int64
	line   []byte
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// ServeHTTP is part of http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchanges.Get().(*exchange)
	*x = exchange{ResponseWriter: w, line: x.line[:0]}
	came := time.Now()
	answered := false
	defer func() {
		if x.status == 0 {
			x.status = http.StatusOK
			if !answered {
				x.status = http.StatusInternalServerError // it panicked
			}
		}
		h.log(x, came, r)
		x.ResponseWriter = nil
		exchanges.Put(x)
	}()
	h.Next.ServeHTTP(x, r)
	answered = true
}

func (h *Handler) log(x *exchange, came time.Time, r *http.Request) {
	if h.Sample != nil && !h.Sample.Take(came) {
		return
	}
	client, _ := h.Client(r)
	line := Request{
		Time: came, Client: h.Addresses.Of(client), Method: r.Method, Target: r.RequestURI, Proto: r.Proto,
		Status: x.status, Bytes: x.bytes, Referer: r.Referer(), UserAgent: r.UserAgent(),
	}
	if h.Target != nil {
		line.Target = h.Target(r)
	}
	x.line = line.AppendTo(x.line)
	_, _ = h.Log.Write(x.line) // a request does not fail for its log
}

// WriteHeader is part of http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach what is inside.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
