package seedserver

import (
	"net/http"
	"time"
)

// streamWrite is how many bytes are written to a stream of HTTP/2 at a time: a client has to take so many in [stallTime].
const streamWrite = 4 << 10

// promptStreams returns a handler that answers as next does. A client of HTTP/2 that opens no window for a stream loses it after
// [stallTime]: its connection goes on, so that [promptTakers] does not see it.
func promptStreams(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		s := &promptStream{ResponseWriter: w, control: http.NewResponseController(w)}
		next.ServeHTTP(s, r)
		s.begin() // what is left is written when this has returned
	})
}

// promptStream is the answer on a stream.
type promptStream struct {
	http.ResponseWriter
	control *http.ResponseController
	asked   time.Time // the deadline that was set
}

// begin gives what is written next its time.
func (s *promptStream) begin() {
	until := time.Now().Add(stallTime)
	if !s.asked.IsZero() && s.asked.Before(until) {
		until = s.asked
	}
	_ = s.control.SetWriteDeadline(until)
}

// done takes the limit back: nothing may be written for long, as when the budget is waited for.
func (s *promptStream) done() { _ = s.control.SetWriteDeadline(s.asked) }

// SetWriteDeadline is what http.ResponseController calls.
func (s *promptStream) SetWriteDeadline(t time.Time) error {
	s.asked = t
	return s.control.SetWriteDeadline(t)
}

// Write is part of http.ResponseWriter.
func (s *promptStream) Write(b []byte) (n int, err error) {
	for {
		part := b[n:min(n+streamWrite, len(b))]
		s.begin()
		m, err := s.ResponseWriter.Write(part)
		s.done()
		if n += m; err != nil || n == len(b) {
			return n, err
		}
	}
}

// FlushError is what http.ResponseController calls.
func (s *promptStream) FlushError() error {
	s.begin()
	defer s.done()
	return s.control.Flush()
}

// Flush is part of http.Flusher.
func (s *promptStream) Flush() { _ = s.FlushError() }

// Unwrap lets http.ResponseController reach what is inside.
func (s *promptStream) Unwrap() http.ResponseWriter { return s.ResponseWriter }
