//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestDamagedState: a state that cannot be read is not served from; the error says what to do, and after that all comes back.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--json")
	s.start()
	s.put("a.bin", content(1, 1<<20))
	s.put(unitDir+"/.seedserver.toml", []byte("unit = true\n"))
	s.put(unitDir+"/b.bin", content(2, 1<<20))
	before := []string{s.published("a.bin", 30*time.Second), s.published(unitDir, 30*time.Second)}
	s.stop()

	database := filepath.Join(s.state, "state.db")
	whole, err := os.ReadFile(database)
	require.NoError(t, err)
	for _, damage := range []struct {
		name string
		do   func() []byte
	}{
		{"its head overwritten", func() []byte { return append(content(3, 100), whole[100:]...) }},
		{"all but its head overwritten", func() []byte { return append(whole[:100:100], content(4, len(whole)-100)...) }},
		{"cut short", func() []byte { return whole[:len(whole)/2] }},
		{"not a database", func() []byte { return []byte("I am not a database, though somebody says so.\n") }},
	} {
		t.Run(damage.name, func(t *testing.T) {
			s := s.in(t)
			require.NoError(t, os.WriteFile(database, damage.do(), 0o600))
			out, err := exec.Command(serverBinary(t), s.args...).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", out)
			require.Equal(t, exitFailed, exit.ExitCode(), "%s", out)
			require.Contains(t, string(out), "--rebuild-state")
			require.Contains(t, string(out), database)

			s.args = append(s.args, "--rebuild-state")
			s.start()
			after := []string{s.published("a.bin", 30*time.Second), s.published(unitDir, 30*time.Second)}
			require.Equal(t, before, after)
			s.stop()
			aside, err := filepath.Glob(database + ".damaged-*")
			require.NoError(t, err)
			require.NotEmpty(t, aside, "the damaged state is kept")
		})
	}
}

// TestFullDisk: when the state cannot be written, that is said, and everything else goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--json")
	// The mount lives in the test's own namespace, and ends with it.
	if err := unix.Mount("tmpfs", s.state, "tmpfs", 0, "size=1m"); err != nil {
		missing(t, "the right to mount a file system in memory: run it as root or allow user namespaces")
	}
	t.Cleanup(func() {
		s.stop()
		require.NoError(t, unix.Unmount(s.state, unix.MNT_DETACH))
	})
	s.start()
	early, late, after := content(1, 300_000), content(2, 300_000), content(3, 300_000)
	s.put("early.bin", early)
	s.published("early.bin", 30*time.Second)

	filler := filepath.Join(s.state, "filler")
	fill(t, filler)
	s.put("late.bin", late)
	lateHash := s.published("late.bin", 30*time.Second)
	const failing = "what was hashed cannot be saved, trying again"
	s.eventually(30*time.Second, "the log says that the state cannot be written", func() bool { return len(s.logged(failing, 0)) > 0 })
	for i := range 5 {
		s.put(fmt.Sprintf("more/%d.bin", i), content(uint64(10+i), 300_000))
	}
	for i := range 5 {
		s.published(fmt.Sprintf("more/%d.bin", i), 30*time.Second)
	}
	s.requireDownload(clientIP(0), "early.bin", early)
	s.requireDownload(clientIP(0), "late.bin", late)
	require.Contains(t, s.troubles(), "hashed")
	lines := s.logged(failing, 0)
	require.Len(t, lines, 1, "it is said once")
	require.Equal(t, "WARN", lines[0].Level)
	require.Regexp(t, "full|no space", lines[0].Err)

	require.NoError(t, os.Remove(filler))
	s.eventually(30*time.Second, "what waited is saved", func() bool { return len(s.logged("what was hashed is saved again", 0)) == 1 })
	s.put("after.bin", after)
	s.published("after.bin", 30*time.Second)
	s.eventually(30*time.Second, "no trouble is left", func() bool { return len(s.troubles()) == 0 })
	s.stop()
	mark := len(s.log.String())
	s.start()
	require.Equal(t, lateHash, s.published("late.bin", 30*time.Second))
	for _, path := range []string{"early.bin", "after.bin", "more/0.bin", "more/4.bin"} {
		s.published(path, 30*time.Second)
	}
	require.Empty(t, s.logged("hashed", mark), "nothing is hashed again")
	require.EqualValues(t, len(early)+len(late), s.ledgerSent(), "nothing that was sent is forgotten")
}

// ledgerSent is the payload that the ledger has of all.
func (s *server) ledgerSent() int64 {
	s.t.Helper()
	out, err := exec.Command(serverBinary(s.t), "status", s.dir, "--state", s.state, "--json").CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	var status struct{ Total int64 }
	require.NoError(s.t, json.Unmarshal(out, &status), "%s", out)
	return status.Total
}

// fill makes a file that takes all room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	require.True(t, errors.Is(err, unix.ENOSPC), "%v", err)
}
