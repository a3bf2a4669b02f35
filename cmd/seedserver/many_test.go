package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver"
)

// TestManyTellsOfRetries: the line of a torrent that failed says when it is begun again, if it is.
func TestManyTellsOfRetries(t *testing.T) {
	failed := seedserver.ManyStatus{File: "a.torrent", Name: "a", Err: errors.New("no room"), Retry: time.Now().Add(time.Hour)}
	broken := seedserver.ManyStatus{File: "b.torrent", Err: errors.New("no torrent")}
	var out bytes.Buffer
	printMany(&out, []seedserver.ManyStatus{failed, broken})
	require.Regexp(t, `(?m)^error .*a: no room; trying again in (1h0m0s|59m\d+s)$`, out.String())
	require.Regexp(t, `(?m)^error .*b\.torrent: no torrent$`, out.String())

	line, err := json.Marshal(reportOf(failed))
	require.NoError(t, err)
	require.Contains(t, string(line), `"retry":"`)
	line, err = json.Marshal(reportOf(broken))
	require.NoError(t, err)
	require.NotContains(t, string(line), "retry")
}
