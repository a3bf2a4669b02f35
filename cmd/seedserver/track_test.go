//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A trackerProcess is a running seedserver track.
type trackerProcess struct {
	t    *testing.T
	args []string
	base string // of its HTTP address
	cmd  *exec.Cmd
	out  *logBuffer // the access log
	log  *logBuffer // what it says
}

// newTrackerProcess returns one that is stopped at the end of the test, if it runs then.
func newTrackerProcess(t *testing.T, args ...string) *trackerProcess {
	p := &trackerProcess{t: t, base: "http://" + serverIP + ":6969", out: &logBuffer{}, log: &logBuffer{}}
	p.args = append([]string{"track", "--http", ":6969", "--log-addresses", "full"}, args...)
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the tracker said:\n%s\n%s", p.log, p.out)
		}
	})
	return p
}

func (p *trackerProcess) start() {
	p.t.Helper()
	p.cmd = exec.Command(serverBinary(p.t), p.args...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	require.NoError(p.t, p.cmd.Start())
	require.Eventually(p.t, func() bool {
		resp, err := http.Get(p.base + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond, "%s", p.log)
}

// end sends a signal and waits for the end.
func (p *trackerProcess) end(s syscall.Signal) {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(s)
	p.cmd.Wait()
	p.cmd = nil
}

// trackerTable is the JSON of the tracker's page.
type trackerTable struct {
	Version  string
	Time     time.Time
	Torrents []struct {
		InfoHash, Name                    string
		Size                              int64
		Complete, Downloading, Downloaded int
		Transferred                       int64
	}
	Totals struct{ Torrents, Complete, Downloading, Downloaded, Addresses, Connections int }
}

func (p *trackerProcess) table() (table trackerTable) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.base+"/-/tracker", nil)
	require.NoError(p.t, err)
	r.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	require.NoError(p.t, json.NewDecoder(resp.Body).Decode(&table))
	return table
}

// announce announces a made-up peer over HTTP, and returns the answer.
func (p *trackerProcess) announce(infohash string, port int, more string) string {
	p.t.Helper()
	resp, err := http.Get(fmt.Sprintf("%s/announce?info_hash=%s&peer_id=-XX0100-%012d&port=%d&uploaded=0&downloaded=0&%s",
		p.base, infohash, port, port, more))
	require.NoError(p.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return string(b)
}

const twentyA = "aaaaaaaaaaaaaaaaaaaa"

// TestTrackerKeepsSwarms: killed a moment after a snapshot, the tracker knows the swarm again; a damaged state is put aside.
func TestTrackerKeepsSwarms(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	state := filepath.Join(t.TempDir(), "swarms")
	p := newTrackerProcess(t, "--open", "--state", state)
	p.start()
	require.FileExists(t, state)
	p.announce(twentyA, 1001, "left=0&key=1")
	p.announce(twentyA, 1002, "left=5&key=2")
	p.announce(twentyA, 1002, "left=0&key=2&event=completed")
	p.end(syscall.SIGTERM)
	p.start()
	require.Equal(t, 2, p.table().Torrents[0].Complete, "after a stop")
	require.Equal(t, 1, p.table().Torrents[0].Downloaded)
	p.end(syscall.SIGKILL)
	p.start()
	table := p.table()
	require.Equal(t, 2, table.Torrents[0].Complete, "after a kill")
	require.Equal(t, 2, table.Totals.Connections)
	require.Equal(t, 1, table.Totals.Addresses)
	require.Contains(t, p.announce(twentyA, 1003, "left=5&key=3"), "5:peers12:")

	p.end(syscall.SIGKILL)
	require.NoError(t, os.WriteFile(state, []byte("nonsense"), 0o600))
	p.start()
	require.Contains(t, p.log.String(), "damaged")
	aside, err := filepath.Glob(state + ".damaged*")
	require.NoError(t, err)
	require.Len(t, aside, 1)
	kept, err := os.ReadFile(aside[0])
	require.NoError(t, err)
	require.Equal(t, "nonsense", string(kept))
	require.Empty(t, p.table().Torrents)
}

// TestTrackerPolicies: lists, messages, networks, scrapes, as an operator sets them.
func TestTrackerPolicies(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	list := filepath.Join(t.TempDir(), "list")
	hexA, hexB := strings.Repeat("61", 20), strings.Repeat("62", 20)
	require.NoError(t, os.WriteFile(list, []byte(hexA+" warning there is a newer one\n"+hexB+" failure withdrawn\n"), 0o600))
	p := newTrackerProcess(t, "--allow", list, "--scrape", "full", "--deny-ip", "198.18.9.0/24", "--trusted-proxy", serverIP)
	p.start()
	require.Contains(t, p.announce(twentyA, 1001, "left=5"), "15:warning message20:there is a newer one")
	require.Contains(t, p.announce(strings.Repeat("b", 20), 1001, "left=5"), "14:failure reason9:withdrawn8:retry in5:never")
	require.Contains(t, p.announce(strings.Repeat("c", 20), 1001, "left=5"), "not registered")

	run := func(args ...string) string {
		out, err := exec.Command(serverBinary(t), args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	require.Regexp(t, hexA+` +0 +1 +0`, run("scrape", p.base+"/announce"))
	require.Regexp(t, hexA+` +0 +1 +0`, run("scrape", "udp://"+serverIP+":6969", hexA))

	// Lists are read again on demand.
	require.NoError(t, os.WriteFile(list, []byte(strings.Repeat("63", 20)+"\n"), 0o600))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return strings.Contains(p.log.String(), "read again") }, 5*time.Second, 10*time.Millisecond)
	require.Contains(t, p.announce(strings.Repeat("c", 20), 1001, "left=5"), "8:interval")
	require.Contains(t, p.announce(twentyA, 1001, "left=5"), "not registered")

	// The networks count where the client is, not the proxy in front.
	r, err := http.NewRequest(http.MethodGet, p.base+"/announce?info_hash="+strings.Repeat("c", 20)+"&peer_id="+twentyA+"&port=1&left=1", nil)
	require.NoError(t, err)
	r.Header.Set("X-Forwarded-For", "10.0.0.1, 198.18.9.7")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(b), "not for your network")

	p.end(syscall.SIGTERM)
	require.Contains(t, p.out.String(), `198.18.9.7 - - [`)
	require.Contains(t, p.out.String(), `"GET /scrape?info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1" 200 20 "-" "UDP"`)
}
