package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// TestGetFromWebSeed: files and units arrive identically of a server of which nothing but its web seed is known, over a kill, too;
// and every byte is in its ledger.
func TestGetFromWebSeed(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	for _, mode := range []string{"conservative", "plain"} {
		t.Run(mode, func(t *testing.T) {
			s := newServer(t, "--web-seed", "--mode", mode, "--tracker", "off", "--settle", "100ms")
			s.put(unitDir+"/.seedserver.toml", []byte("unit = true\n"))
			s.put(unitDir+"/01 intro.flac", content(1, 700_000))
			s.put(unitDir+"/disc 2/02.flac", content(2, 300_001))
			s.put(slowFile, content(4, 20<<20))
			s.start()
			want := tree(t, s.dir)
			for _, name := range []string{slowFile, unitDir} {
				s.published(name, 60*time.Second)
				out := t.TempDir()
				source := []string{s.torrent(name), "--local", "--saveas", filepath.Join(out, name)}
				if name == slowFile {
					cmd := getCommand(t, append(source, "--max-down", "4MB/s")...)
					require.NoError(t, cmd.Start())
					require.Eventually(t, func() bool {
						return s.sums()[name].Sent[ledger.ClassWebSeed] > 0
					}, 20*time.Second, 20*time.Millisecond, "the ledger counts the web seed")
					require.NoError(t, cmd.Process.Kill())
					cmd.Wait()
				}
				get(t, source...)
				requireCopy(t, want, name, out)
			}
			s.stop()
			sent := s.sums()[slowFile].Sent
			require.GreaterOrEqual(t, sent[ledger.ClassWebSeed], int64(20<<20))
			require.Zero(t, sent[ledger.ClassPlain])
		})
	}
}
