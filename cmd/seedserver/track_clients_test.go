//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// way is how clients reach the tracker.
type way struct {
	name, announce string
	six            bool
	port           string // for aria2, which binds to no address of IPv6
}

const serverIP6 = "2001:198::1"

var ways = []way{
	{"http4", "http://" + serverIP + ":6969/announce", false, "17001"},
	{"udp4", "udp://" + serverIP + ":6969/announce", false, "17002"},
	{"http6", "http://[" + serverIP6 + "]:6969/announce", true, "17003"},
	{"udp6", "udp://[" + serverIP6 + "]:6969/announce", true, "17004"},
}

// trackedClient downloads a torrent, with nothing but the tracker that it names, from the address bind.
type trackedClient struct {
	name     string
	agent    string // of its peer id, as the log has it
	download func(t *testing.T, w way, torrent, dir, bind string)
	cannot   string // ways that are beyond it: aria2 1.36 and Transmission 3.00 announce over UDP by IPv4 only
}

var trackedClients = []trackedClient{
	{"aria2", "A2-1-", trackedAria2, "udp6"},
	{"libtorrent", "-LT", func(t *testing.T, w way, torrent, dir, bind string) {
		if w.six {
			bind = "[" + bind + "]"
		}
		runClient(t, "/usr/bin/python3", "testdata/leech.py", torrent, dir, bind, "16881")
	}, ""},
	{"transmission", "-TR", func(t *testing.T, _ way, torrent, dir, bind string) { transmission(t, torrent, dir, bind) }, "udp6"},
}

// trackedAria2 needs a DHT of its own for trackers over UDP, though it finds nobody in it.
func trackedAria2(t *testing.T, w way, torrent, dir, bind string) {
	args := []string{"--no-conf", "--dir=" + dir, "--listen-port=" + w.port, "--dht-listen-port=" + w.port, "--bt-enable-lpd=false",
		"--seed-time=0", "--file-allocation=none", "--async-dns=false", "--summary-interval=0", "--console-log-level=warn"}
	if w.six {
		args = append(args, "--enable-dht6=true", "--dht-file-path6="+filepath.Join(dir, ".dht"), "--dht-entry-point6=["+serverIP6+"]:9",
			"--dht-listen-addr6="+serverIP6)
	} else {
		args = append(args, "--interface="+bind, "--disable-ipv6=true", "--enable-dht=true", "--dht-file-path="+filepath.Join(dir, ".dht"),
			"--dht-entry-point="+serverIP+":9")
	}
	runClient(t, "aria2c", append(args, torrent)...)
}

// TestClientsFindEachOther: clients of three makers meet through our tracker, over HTTP and UDP, IPv4 and IPv6.
func TestClientsFindEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	ip6 := func(args ...string) {
		out, err := exec.Command("ip", append([]string{"-6"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	ip6("addr", "add", serverIP6+"/64", "dev", "lo", "nodad")
	ip6("route", "add", "default", "dev", "lo", "src", serverIP6)
	p := newTrackerProcess(t, "--open", "--announce-interval", "1m")
	p.start()
	t.Run("ways", func(t *testing.T) {
		for i, w := range ways {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				data, made := t.TempDir(), filepath.Join(t.TempDir(), w.name+".torrent")
				name := fmt.Sprint("file", i)
				require.NoError(t, os.WriteFile(filepath.Join(data, name), content(uint64(10+i), 600_000+rand.IntN(1000)), 0o600))
				out, err := exec.Command(serverBinary(t), "create", filepath.Join(data, name), "--announce", w.announce, "--out", made).CombinedOutput()
				require.NoError(t, err, "%s", out)
				bind := func(n int) string {
					if w.six {
						ip := fmt.Sprintf("2001:198::%x", 0x100*(i+1)+n)
						ip6("addr", "add", ip+"/64", "dev", "lo", "nodad")
						return ip
					}
					return fmt.Sprintf("198.18.%d.%d", i+2, n)
				}
				seedAt := bind(1)
				if w.six {
					seedAt = "[" + seedAt + "]"
				}
				seed := exec.Command("/usr/bin/python3", "testdata/seed.py", made, data, seedAt, "16880")
				require.NoError(t, seed.Start())
				t.Cleanup(func() {
					seed.Process.Kill()
					seed.Wait()
				})
				want := tree(t, data)
				t.Run("download", func(t *testing.T) {
					for n, c := range trackedClients {
						if strings.Contains(c.cannot, w.name) {
							continue
						}
						t.Run(c.name, func(t *testing.T) {
							t.Parallel()
							dir := t.TempDir()
							c.download(t, w, made, dir, bind(2+n))
							requireCopy(t, want, name, dir)
						})
					}
				})
			})
		}
	})
	t.Run("all were seen", func(t *testing.T) {
		p.end(syscall.SIGTERM)
		for _, c := range trackedClients {
			require.Regexp(t, `GET /announce.* HTTP/1.1" 200 [0-9]+ "-" "UDP `+c.agent, p.out.String())
			require.Regexp(t, `GET /announce.*peer_id=`+c.agent, p.out.String())
		}
	})
}
