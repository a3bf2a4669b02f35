package seedserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestManyTriesAgain: a torrent that cannot be begun, or that fails, because of something that may pass is begun again after growing
// pauses, and says when.
func TestManyTriesAgain(t *testing.T) {
	spoil := map[string]func(t *testing.T, data string){
		"no directory for the data": func(t *testing.T, data string) {
			require.NoError(t, os.Rename(data, data+".away"))
			require.NoError(t, os.WriteFile(data, nil, 0o600))
		},
		"a directory in the place of the file": func(t *testing.T, data string) {
			require.NoError(t, os.Rename(filepath.Join(data, "a"), data+".away"))
			require.NoError(t, os.Mkdir(filepath.Join(data, "a"), 0o700))
		},
	}
	mend := map[string]func(t *testing.T, data string){
		"no directory for the data": func(t *testing.T, data string) {
			require.NoError(t, os.Remove(data))
			require.NoError(t, os.Rename(data+".away", data))
		},
		"a directory in the place of the file": func(t *testing.T, data string) {
			require.NoError(t, os.Remove(filepath.Join(data, "a")))
			require.NoError(t, os.Rename(data+".away", filepath.Join(data, "a")))
		},
	}
	for name := range spoil {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
				require.NoError(t, os.Mkdir(data, 0o700))
				putTorrent(t, data, "a", "some text")
				require.NoError(t, os.Rename(filepath.Join(data, "a.torrent"), filepath.Join(dir, "a.torrent")))
				m, err := NewMany(t.Context(), ManyConfig{
					Dir: dir, Data: data, State: t.TempDir(), Client: ClientConfig{Peer: "127.0.0.1:0", NoDHT: true, NoLocal: true},
				})
				require.NoError(t, err)
				defer m.client.ln.Close()
				spoil[name](t, data)
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				began := time.Now()
				var failed []time.Duration
				for until := began.Add(time.Hour); time.Now().Before(until); time.Sleep(time.Second) {
					before := m.entry("a.torrent")
					m.scan(ctx, &running)
					synctest.Wait()
					if m.entry("a.torrent") != before {
						failed = append(failed, time.Since(began))
					}
					st := m.Status()[0]
					require.Error(t, st.Err)
					require.NotErrorIs(t, st.Err, ErrOtherContent)
					require.True(t, st.Retry.After(time.Now()))
					require.LessOrEqual(t, time.Until(st.Retry), lastRetry)
				}
				require.Equal(t, fmt.Sprint([]time.Duration{
					0, 5 * time.Second, 15 * time.Second, 35 * time.Second, 75 * time.Second, 155 * time.Second, 315 * time.Second, 635 * time.Second,
					1235 * time.Second, 1835 * time.Second, 2435 * time.Second, 3035 * time.Second,
				}), fmt.Sprint(failed))
				mend[name](t, data)
				for m.Status()[0].Phase != Seeding {
					require.Less(t, time.Since(began), 2*time.Hour)
					time.Sleep(time.Second)
					m.scan(ctx, &running)
					synctest.Wait()
				}
				require.NoError(t, m.Status()[0].Err)
				require.Zero(t, m.Status()[0].Retry)
				cancel()
				running.Wait()
			})
		})
	}
}

// TestPassing: what only another file or other settings mend is not tried again.
func TestPassing(t *testing.T) {
	for err, want := range map[error]bool{
		os.ErrPermission: true,
		fmt.Errorf("opening: %w", permanent{errors.New("no torrent")}): false,
		fmt.Errorf("%w than this torrent", ErrOtherContent):            false,
		fmt.Errorf("as a.torrent: %w", errTaken):                       false,
	} {
		require.Equal(t, want, passing(err), err)
	}
	// One that ran for long begins anew.
	start := time.Now()
	e := &manyEntry{begun: start, failures: 9}
	e.failedAt(start.Add(time.Hour), os.ErrPermission)
	require.Equal(t, start.Add(time.Hour+firstRetry), e.retry)
}
