package seedserver

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// trouble is something that keeps the server from a part of its work, while the rest goes on.
type trouble string

const (
	troubleHashed      trouble = "hashed"      // what was hashed cannot be saved
	troubleCounts      trouble = "counts"      // what was sent cannot be written to the ledger
	troublePickers     trouble = "pickers"     // what super-seeding knows cannot be saved
	troubleSwarms      trouble = "swarms"      // the tracker's swarms cannot be saved
	troubleBudget      trouble = "budget"      // a reservation of the month's budget cannot be written
	troubleReads       trouble = "reads"       // the disk fails to read what is published
	troubleDescriptors trouble = "descriptors" // the process may not open as many files as it should
)

// aboutTroubles says what is the matter, and what that means.
var aboutTroubles = map[trouble]string{
	troubleHashed:      "What was hashed cannot be saved. It is shared all the same, and saved when the state can be written again; after a restart before that it is hashed anew.",
	troubleCounts:      "What was sent cannot be written to the ledger. It is counted in memory until it can.",
	troublePickers:     "What super-seeding knows of the swarms cannot be saved. It is tried again every minute; after a restart before that, swarms are asked anew.",
	troubleSwarms:      "The swarms of the tracker cannot be saved. It is tried again every minute; after a restart before that, they find together within an interval.",
	troubleBudget:      "The month's budget cannot be written, so nothing more is sent until it can: what is not written could be sent twice.",
	troubleReads:       "The disk fails to read some of what is published. Peers are told to get those pieces elsewhere; see to the disk.",
	troubleDescriptors: "This process may open too few files for its peers. Raise the limit: LimitNOFILE= in the systemd unit, ulimit -n in a shell.",
}

// readsLast is how long a disk that failed to read is shown to have done so.
const readsLast = 10 * time.Minute

// troubles are those that last. Its methods may be called by many goroutines at once; a nil one notes nothing.
type troubles struct {
	log *slog.Logger

	mu     sync.Mutex
	now    map[trouble]*lasting
	failed int64 // reads
}

type lasting struct {
	since, last time.Time
	err         string
}

func newTroubles(log *slog.Logger) *troubles {
	return &troubles{log: log, now: map[trouble]*lasting{}}
}

// note says how something ended that fails while there is this trouble: with err, or well.
func (t *troubles) note(about trouble, err error) (began, ended bool) {
	if t == nil {
		return err != nil, false
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.now[about]
	switch {
	case err == nil:
		delete(t.now, about)
		return false, l != nil
	case l == nil:
		l = &lasting{since: now}
		t.now[about] = l
		began = true
	}
	l.last, l.err = now, err.Error()
	return began, false
}

// has reports whether there is this trouble.
func (t *troubles) has(about trouble) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now[about] != nil
}

// warn is note for what logs nothing itself: failing, that it begins, and ended, that it is over.
func (t *troubles) warn(about trouble, failing, over string, err error) {
	switch began, ended := t.note(about, err); {
	case t == nil:
	case began:
		t.log.Warn(failing, "err", err)
	case ended:
		t.log.Info(over)
	}
}

// read notes that what is published at path could not be read, for another reason than that it changed.
func (t *troubles) read(path string, err error) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.failed++
	if l := t.now[troubleReads]; l != nil && time.Since(l.last) >= readsLast {
		delete(t.now, troubleReads)
	}
	t.mu.Unlock()
	if began, _ := t.note(troubleReads, err); began {
		t.log.Warn("the disk fails to read what is published", "path", path, "err", err)
	}
}

// reads returns how many reads have failed.
func (t *troubles) reads() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// list returns those that last, in the order of their names.
func (t *troubles) list() []admin.Trouble {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []admin.Trouble
	for about, l := range t.now {
		if about == troubleReads && time.Since(l.last) >= readsLast {
			continue
		}
		list = append(list, admin.Trouble{About: string(about), Text: aboutTroubles[about], Error: l.err, Since: l.since.UTC()})
	}
	slices.SortFunc(list, func(a, b admin.Trouble) int { return strings.Compare(a.About, b.About) })
	return list
}
