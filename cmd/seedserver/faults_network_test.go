//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The two ends of the cable between a test's namespace and a far one.
const (
	nearIP = "198.19.0.1"
	farIP  = "198.19.0.2"
)

// farNamespace is another network namespace, at the other end of a cable that can be cut.
type farNamespace struct {
	t   *testing.T
	pid int // of the process that holds it
}

func newFarNamespace(t *testing.T) *farNamespace {
	t.Helper()
	requireTool(t, "nsenter", "util-linux")
	holder := exec.Command("unshare", "--net", "sleep", "infinity")
	require.NoError(t, holder.Start())
	t.Cleanup(func() { holder.Process.Kill(); holder.Wait() })
	n := &farNamespace{t, holder.Process.Pid}
	ours, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", n.pid))
		return err == nil && theirs != ours
	}, 10*time.Second, 10*time.Millisecond)
	if out, err := exec.Command("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", strconv.Itoa(n.pid)).CombinedOutput(); err != nil {
		t.Skipf("there are no cables between namespaces here: %s", strings.TrimSpace(string(out))) // no package brings them
	}
	n.ip("addr", "add", nearIP+"/24", "dev", "near")
	n.ip("link", "set", "near", "up")
	for _, args := range []string{"link set lo up", "addr add " + farIP + "/24 dev far", "link set far up"} {
		out, err := n.command(append([]string{"ip"}, strings.Fields(args)...)...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args, out)
	}
	return n
}

func (n *farNamespace) ip(args ...string) {
	n.t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	require.NoError(n.t, err, "ip %v: %s", args, out)
}

// cut takes the cable out, and mend puts it in again.
func (n *farNamespace) cut()  { n.t.Helper(); n.ip("link", "set", "near", "down") }
func (n *farNamespace) mend() { n.t.Helper(); n.ip("link", "set", "near", "up") }

// command is one that runs there.
func (n *farNamespace) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/proc/" + strconv.Itoa(n.pid) + "/ns/net"}, args...)...)
}

// TestPartition: while the cable is cut, those on this side are served as before; when it is back, the download goes on where it was,
// and of one that ended meanwhile nothing is left.
func TestPartition(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	far := newFarNamespace(t)
	s := newPlainServer(t, "--json", "--max-up-torrent", "3MiB/s")
	s.start()
	whole, other := content(1, 12<<20), content(2, 1<<20)
	s.put("release.iso", whole)
	s.put("other.bin", other)
	s.published("release.iso", 30*time.Second)
	s.published("other.bin", 30*time.Second)
	before := s.descriptors()

	download := func(name string) (cmd *exec.Cmd, out string, log *logBuffer) {
		out, log = filepath.Join(t.TempDir(), name), &logBuffer{}
		cmd = far.command(serverBinary(t), "get", "http://"+nearIP+":8080/release.iso", "--saveas", out, "--dht-router", "off", "--peer", ":0", "--json")
		cmd.Stdout, cmd.Stderr = log, log
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { cmd.Process.Kill() })
		return cmd, out, log
	}
	sent := func() float64 { return s.metric("seedserver_sent_bytes_total") }
	first, out, log := download("first")
	s.eventually(30*time.Second, "the download is under way", func() bool { return sent() > 2<<20 })
	far.cut()
	s.requireDownload(clientIP(0), "other.bin", other)
	pause(2 * time.Second)
	stalled := sent()
	pause(time.Second)
	require.InDelta(t, stalled, sent(), 64<<10, "nothing goes into the void for long")
	far.mend()
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	select {
	case err := <-ended:
		require.NoError(t, err, "%s", log)
	case <-time.After(60 * time.Second):
		require.Fail(t, "the download does not end", "%s\n%s", log, s.log)
	}
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	require.True(t, string(whole) == string(got), "it arrived as it was")
	s.eventually(10*time.Second, "who is done is gone", func() bool { return s.descriptors() <= before+3 })

	second, _, _ := download("second")
	mark := sent()
	s.eventually(30*time.Second, "another is under way", func() bool { return sent() > mark+1<<20 })
	far.cut()
	require.NoError(t, second.Process.Kill()) // nobody tells us
	second.Wait()
	far.mend()
	s.eventually(60*time.Second, "of who is gone nothing is left", func() bool { return s.descriptors() <= before+3 })
	s.requireDownload(clientIP(0), "other.bin", other)
	require.Empty(t, s.troubles())
}
