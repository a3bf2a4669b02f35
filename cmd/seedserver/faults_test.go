//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// troubles are what the status pages say that keeps the server from a part of its work.
func (s *server) troubles() []string {
	s.t.Helper()
	resp, err := http.Get(adminBase + "/api/v1/status")
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	var status struct {
		Troubles []struct{ About string }
	}
	require.NoError(s.t, json.Unmarshal(b, &status), "%s", b)
	about := []string{}
	for _, t := range status.Troubles {
		about = append(about, t.About)
	}
	return about
}

// metric is a value that the status pages have for Prometheus, 0 if there is none of that name and labels.
func (s *server) metric(name string) (value float64) {
	s.t.Helper()
	resp, err := http.Get(adminBase + "/metrics")
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			value, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
			require.NoError(s.t, err)
		}
	}
	return value
}
