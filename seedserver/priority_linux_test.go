package seedserver

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestStandBack: work runs on a thread of low priority with room for others beside it, and nothing of that stays.
func TestStandBack(t *testing.T) {
	hashing.narrow() // servers of other tests have ended, but their room lasts a while
	usual := runtime.GOMAXPROCS(0)
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // the tests may stand back themselves
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			standBack(func() {
				// The system call answers 20 minus the priority.
				got, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
				require.NoError(t, err)
				require.Equal(t, 20-hashingNice, got)
				require.Equal(t, 2*usual, runtime.GOMAXPROCS(0))
			})
		})
	}
	wg.Wait()
	hashing.narrow()
	require.Equal(t, usual, runtime.GOMAXPROCS(0))
	got, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	require.NoError(t, err)
	require.Equal(t, before, got, "no other thread stands back")
}
