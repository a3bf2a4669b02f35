//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net/http"

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
