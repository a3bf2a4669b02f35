package seedserver

import (
	"math"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// meters counts what is sent, for the status pages: everything together since the start, and what goes by HTTP for each entry of
// the ledger; swarms count the rest themselves.
type meters struct {
	mu   sync.Mutex
	sent int64
	http map[int64]*meter
}

// meter is the bytes of one entry and their rate over the last seconds.
type meter struct {
	sent int64
	rate float64 // bytes per second at the moment at
	at   time.Time
}

// meterWindow is the time in which two thirds of a change of the rate show.
const meterWindow = 5 * time.Second

func (m *meters) add(now time.Time, entry int64, class ledger.Class, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent += n
	if class != ledger.ClassHTTP && class != ledger.ClassWebSeed {
		return
	}
	one := m.http[entry]
	if one == nil {
		if m.http == nil {
			m.http = map[int64]*meter{}
		}
		one = &meter{}
		m.http[entry] = one
	}
	one.sent += n
	one.rate = one.rateAt(now) + float64(n)/meterWindow.Seconds()
	one.at = now
}

func (m *meter) rateAt(now time.Time) float64 {
	return m.rate * math.Exp(-now.Sub(m.at).Seconds()/meterWindow.Seconds())
}

// all returns everything that was sent.
func (m *meters) all() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

// sentByHTTP returns what was sent by HTTP for each entry.
func (m *meters) sentByHTTP() map[int64]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	sent := make(map[int64]int64, len(m.http))
	for entry, one := range m.http {
		sent[entry] = one.sent
	}
	return sent
}

// byHTTP returns what was sent by HTTP for an entry, and how many bytes per second are.
func (m *meters) byHTTP(now time.Time, entry int64) (sent, rate int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.http[entry]
	if one == nil {
		return 0, 0
	}
	if now.Sub(one.at) > 3*meterWindow {
		return one.sent, 0
	}
	return one.sent, int64(one.rateAt(now))
}
