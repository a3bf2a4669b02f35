//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryCgroup makes a cgroup of so much memory and returns its directory; "" where that cannot be done. It needs version 1 or the root
// of version 2.
func memoryCgroup(t *testing.T, limit int64) string {
	t.Helper()
	name := fmt.Sprintf("seedserver-test-%d-%d", os.Getpid(), time.Now().UnixNano()) // processes of many namespaces share it
	for _, at := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(at.root, name)
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if os.WriteFile(filepath.Join(dir, at.limit), fmt.Appendln(nil, limit), 0) == nil {
			return dir
		}
		os.Remove(dir)
	}
	return ""
}

// TestLittleMemory: a server that may use little memory serves many at once all the same, and is not ended by the kernel.
func TestLittleMemory(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	limit := int64(96 << 20)
	if raceEnabled {
		limit *= 4 // it takes that much more
	}
	dir := memoryCgroup(t, limit)
	s := newPlainServer(t, "--json")
	want := limit - limit/10
	if dir != "" {
		s.under = []string{"sh", "-c", `echo 0 > "$0/cgroup.procs" && exec "$@"`, dir}
		t.Cleanup(func() {
			s.stop()
			require.Eventually(t, func() bool { return os.Remove(dir) == nil }, 10*time.Second, 50*time.Millisecond)
		})
	} else { // the other way to say so
		s.under = []string{"env", fmt.Sprintf("GOMEMLIMIT=%d", want)}
	}
	s.start()
	whole := content(1, 8<<20)
	s.put("release.iso", whole)
	s.published("release.iso", 30*time.Second)
	require.InDelta(t, want, s.metric("go_gc_gomemlimit_bytes"), 4096)
	require.Len(t, s.logged("memory is limited", 0), 1)

	torrent := s.fetch("release.iso")
	var leeches sync.WaitGroup
	for n := range 64 {
		l := s.leech(clientIP(n), torrent, whole)
		leeches.Go(func() {
			if err := l.run(nil); err != nil {
				t.Errorf("leech %d: %v", n, err)
			}
		})
	}
	leeches.Wait()
	if dir != "" {
		require.Less(t, s.memory(), limit)
		b, err := os.ReadFile(filepath.Join(dir, "memory.oom_control"))
		if err != nil {
			b, err = os.ReadFile(filepath.Join(dir, "memory.events"))
		}
		require.NoError(t, err)
		require.Contains(t, strings.Split(string(b), "\n"), "oom_kill 0")
	}
}
