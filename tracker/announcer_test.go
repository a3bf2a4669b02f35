package tracker_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

var errSilent = errors.New("no answer")

// session is an announcer with a clock and trackers.
type session struct {
	t   *testing.T
	a   *tracker.Announcer
	now time.Time
}

func newSession(t *testing.T, cfg tracker.AnnouncerConfig) *session {
	cfg.Rand = rand.New(rand.NewPCG(1, 2))
	s := &session{t, tracker.NewAnnouncer(cfg), time.Unix(1e9, 0)}
	s.a.Start(s.now)
	return s
}

// call returns the announce that is due now.
func (s *session) call() tracker.Call {
	s.t.Helper()
	call, ok := s.a.Next(s.now)
	require.True(s.t, ok, "nothing is due; the deadline is in %v", s.a.Deadline(s.now).Sub(s.now))
	return call
}

// none checks that nothing is due, and returns for how long.
func (s *session) none() time.Duration {
	s.t.Helper()
	call, ok := s.a.Next(s.now)
	require.False(s.t, ok, "%+v", call)
	deadline := s.a.Deadline(s.now)
	if deadline.IsZero() {
		return -1
	}
	return deadline.Sub(s.now)
}

// wait goes to the deadline.
func (s *session) wait() time.Duration {
	s.t.Helper()
	d := s.none()
	require.Positive(s.t, d)
	s.now = s.now.Add(d)
	return d
}

func (s *session) answer(call tracker.Call, res tracker.AnnounceResponse) {
	s.a.Answered(s.now, call, &res)
}

func (s *session) fail(call tracker.Call) { s.a.Failed(s.now, call, errSilent) }

func requireAbout(t *testing.T, want, got time.Duration) {
	t.Helper()
	require.GreaterOrEqual(t, got, want)
	require.LessOrEqual(t, got, want+want/20)
}

func TestSession(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	call := s.call()
	require.Equal(t, tracker.EventStarted, call.Event)
	require.Equal(t, "a", call.URL)
	require.EqualValues(t, -1, s.none(), "while a call is under way nothing is due")

	s.answer(call, tracker.AnnounceResponse{Interval: 20 * time.Minute, TrackerID: "id"})
	requireAbout(t, 20*time.Minute, s.wait())
	call = s.call()
	require.Equal(t, tracker.EventNone, call.Event)
	require.Equal(t, "id", call.TrackerID)

	s.answer(call, tracker.AnnounceResponse{Interval: 20 * time.Minute}) // BEP 3: an id once given stays
	s.a.Completed(s.now)
	call = s.call()
	require.Equal(t, tracker.EventCompleted, call.Event)
	require.Equal(t, "id", call.TrackerID)
	s.answer(call, tracker.AnnounceResponse{Interval: time.Hour, MinInterval: time.Minute})
	requireAbout(t, time.Hour, s.none())

	s.a.Stop(s.now)
	call = s.call()
	require.Equal(t, tracker.EventStopped, call.Event)
	require.False(t, s.a.Stopped())
	s.fail(call)
	require.True(t, s.a.Stopped(), "it is told once")
	require.EqualValues(t, -1, s.none())

	s.a.Start(s.now)
	requireAbout(t, time.Minute, s.wait()) // the tracker's minimum holds beyond the session
	require.Equal(t, tracker.EventStarted, s.call().Event)
}

// BEP 12: "If all trackers in a tier fail, the next tier is tried", "each time
// [...] starts at the first tier", a tracker that answers "is moved to the
// front".
func TestTiers(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a1", "a2"}, {"b"}}})
	first := s.call()
	s.fail(first)
	second := s.call()
	require.ElementsMatch(t, []string{"a1", "a2"}, []string{first.URL, second.URL})
	s.fail(second)
	call := s.call()
	require.Equal(t, "b", call.URL)
	require.Equal(t, tracker.EventStarted, call.Event)
	s.answer(call, tracker.AnnounceResponse{Interval: time.Hour})
	requireAbout(t, time.Hour, s.wait())

	call = s.call()
	require.Equal(t, first.URL, call.URL, "the first tier goes first")
	s.fail(call)
	call = s.call()
	require.Equal(t, second.URL, call.URL)
	s.answer(call, tracker.AnnounceResponse{Interval: time.Hour})
	contacts := s.a.Contacts(s.now)
	require.Equal(t, second.URL, contacts[0].URL, "promoted")
	require.True(t, contacts[0].Working)
	require.Equal(t, first.URL, contacts[1].URL)
	require.ErrorIs(t, contacts[1].Err, errSilent)
	require.Equal(t, 1, contacts[2].Tier)

	s.wait()
	require.Equal(t, second.URL, s.call().URL)

	s.a.Stop(s.now)
	require.Equal(t, "b", s.call().URL, "it was told that we started")
}

func TestTiersAreShuffled(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		a := tracker.NewAnnouncer(tracker.AnnouncerConfig{Tiers: [][]string{{"a", "b", "c"}, {"d"}}, Rand: rand.New(rand.NewPCG(seed, 0))})
		order := ""
		for _, c := range a.Contacts(time.Time{}) {
			order += c.URL
		}
		require.Equal(t, "d", order[3:])
		seen[order] = true
	}
	require.Len(t, seen, 6)
}

func TestEveryTier(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}, {}, {"b", "", "a"}}, EveryTier: true})
	one, two := s.call(), s.call()
	require.Equal(t, "a", one.URL)
	require.Equal(t, "b", two.URL)
	s.answer(two, tracker.AnnounceResponse{Interval: time.Hour})
	s.fail(one)
	requireAbout(t, 15*time.Second, s.none())
	require.Len(t, s.a.Contacts(s.now), 2)
}

func TestBackoff(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	for _, pause := range []time.Duration{15 * time.Second, 45 * time.Second, 135 * time.Second, 405 * time.Second, 1215 * time.Second,
		time.Hour, time.Hour, time.Hour} {
		call := s.call()
		require.Equal(t, tracker.EventStarted, call.Event, "it has not been told yet")
		s.fail(call)
		requireAbout(t, pause, s.wait())
	}
	s.answer(s.call(), tracker.AnnounceResponse{Interval: 10 * time.Minute})
	s.wait()
	s.fail(s.call())
	requireAbout(t, 15*time.Second, s.wait())
}

// BEP 31: the "failure reason" comes with "retry in", minutes or "never".
func TestRefusals(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	s.a.Failed(s.now, s.call(), &tracker.FailureError{Reason: "busy", RetryAfter: 42 * time.Minute})
	requireAbout(t, 42*time.Minute, s.wait())
	s.a.Failed(s.now, s.call(), &tracker.FailureError{Reason: "no"})
	requireAbout(t, 15*time.Minute, s.wait())
	s.a.Failed(s.now, s.call(), &tracker.FailureError{Reason: "flood", RetryAfter: time.Nanosecond})
	requireAbout(t, time.Minute, s.wait())
	s.a.Failed(s.now, s.call(), &tracker.FailureError{Reason: "banned", RetryAfter: -1})
	require.EqualValues(t, -1, s.none())
	s.a.NeedPeers(s.now)
	require.EqualValues(t, -1, s.none())
	s.a.Retry(s.now)
	require.Equal(t, "a", s.call().URL)
}

func TestIntervalsAreBounded(t *testing.T) {
	for _, tt := range []struct{ interval, least, want time.Duration }{
		{0, 0, 30 * time.Minute},
		{-5, -5, 30 * time.Minute},
		{time.Second, 0, time.Minute},
		{time.Minute, 10 * time.Minute, 10 * time.Minute},
		{1 << 62, 0, 24 * time.Hour},
		{1 << 62, 1 << 62, 24 * time.Hour},
		{10 * time.Minute, 5 * time.Minute, 10 * time.Minute},
	} {
		s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
		s.answer(s.call(), tracker.AnnounceResponse{Interval: tt.interval, MinInterval: tt.least})
		requireAbout(t, tt.want, s.none())
	}
}

func TestNeedPeersHonoursTheLeastInterval(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	s.a.NeedPeers(s.now)
	s.answer(s.call(), tracker.AnnounceResponse{Interval: time.Hour, MinInterval: 15 * time.Minute})
	s.now = s.now.Add(time.Minute)
	s.a.NeedPeers(s.now)
	require.Equal(t, 14*time.Minute, s.wait())
	s.call()
}

func TestCompletedWhileStarting(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	call := s.call()
	s.a.Completed(s.now)
	s.answer(call, tracker.AnnounceResponse{Interval: time.Hour, MinInterval: time.Hour})
	call = s.call()
	require.Equal(t, tracker.EventCompleted, call.Event)
	s.fail(call)
	s.wait()
	require.Equal(t, tracker.EventCompleted, s.call().Event)
}

// BEP 21: "it MUST send an event=paused parameter in every announce while it is
// a partial seed".
func TestPartialSeed(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	s.a.SetPartialSeed(true)
	s.answer(s.call(), tracker.AnnounceResponse{})
	s.wait()
	require.Equal(t, tracker.EventPaused, s.call().Event)
}

// Trackers punish who announces too early after a restart.
func TestEarliestOutlivesARestart(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	s.answer(s.call(), tracker.AnnounceResponse{Interval: time.Hour, MinInterval: 15 * time.Minute})
	earliest := s.a.Earliest(s.now)
	require.Len(t, earliest, 1)
	now := s.now.Add(5 * time.Minute)
	s = newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}, Earliest: earliest})
	s.now = now
	require.Equal(t, 10*time.Minute, s.wait())
	require.Equal(t, tracker.EventStarted, s.call().Event)
}

func TestStopDuringACall(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{Tiers: [][]string{{"a"}}})
	call := s.call()
	s.a.Stop(s.now)
	require.False(t, s.a.Stopped())
	require.EqualValues(t, -1, s.none())
	s.answer(call, tracker.AnnounceResponse{})
	call = s.call()
	require.Equal(t, tracker.EventStopped, call.Event)
	s.answer(call, tracker.AnnounceResponse{})
	require.True(t, s.a.Stopped())
}

func TestNothingToAnnounceTo(t *testing.T) {
	s := newSession(t, tracker.AnnouncerConfig{})
	require.EqualValues(t, -1, s.none())
	s.a.Completed(s.now)
	s.a.Stop(s.now)
	require.True(t, s.a.Stopped())
}
