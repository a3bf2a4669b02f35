package seedserver

import (
	"errors"
	"time"
)

// A torrent that failed is begun again after a pause, which doubles with each time that it fails.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 10 * time.Minute
)

// permanent marks the error of a torrent that would fail for the same reason whenever it is begun.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// passing reports whether what failed with err may do by itself later: a disk gets room, a directory is mounted. What holds something else
// would have to be read as a whole to see that it does no more.
func passing(err error) bool {
	return !errors.As(err, &permanent{}) && !errors.Is(err, ErrOtherContent) && !errors.Is(err, errTaken)
}

// failedAt notes that e failed, and when it is to be begun again. One that ran for long begins to count anew.
func (e *manyEntry) failedAt(now time.Time, err error) {
	e.err, e.retry = err, time.Time{}
	if !passing(err) {
		return
	}
	if now.Sub(e.begun) > lastRetry {
		e.failures = 0
	}
	pause := lastRetry
	if e.failures < 10 {
		pause = min(firstRetry<<e.failures, lastRetry)
	}
	e.failures++
	e.retry = now.Add(pause)
}

// mayBeginAgain reports whether a torrent that does not run may now.
func (m *Many) mayBeginAgain(now time.Time, e *manyEntry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Is(e.err, errTaken) || !e.retry.IsZero() && !now.Before(e.retry)
}

// again returns what is to be begun in the place of e.
func (m *Many) again(e *manyEntry) *manyEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &manyEntry{file: e.file, size: e.size, modified: e.modified, failures: e.failures}
}
