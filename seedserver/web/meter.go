package web

import "net/http"

// meter tells of the bytes of a file that are written to a client.
type meter struct {
	http.ResponseWriter
	sent func(bytes int)
	file bool // the body is the file, or a part of it: not an error
}

// WriteHeader is part of http.ResponseWriter.
func (m *meter) WriteHeader(status int) {
	m.file = status == http.StatusOK || status == http.StatusPartialContent
	m.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (m *meter) Write(b []byte) (int, error) {
	n, err := m.ResponseWriter.Write(b)
	if m.file && n > 0 {
		m.sent(n)
	}
	return n, err
}

// Unwrap lets http.ResponseController reach what is inside.
func (m *meter) Unwrap() http.ResponseWriter { return m.ResponseWriter }
