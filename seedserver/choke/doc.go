// Package choke decides which peers of one torrent may download from us at a time.
//
// A seed gains nothing from one leech over another, so the policy is fairness: everybody is unchoked while there are slots for
// everybody, and when there are not, the slots go round. A [Choker] is told who joins, who is interested, who leaves, how
// much each was sent and how the torrent as a whole is doing; it answers with a list of [Change] values to carry out, in order.
//
//	c := choke.New[*peer](choke.Config{})
//	c.Join(now, p)
//	c.SetInterested(now, p, true)
//	for _, change := range c.Drain() { ... }
//
// The rules, those of BEP 3 and of practice:
//
//   - A free slot is given at once, to a peer that is not interested yet too: it saves the round trip when it is.
//   - Slots change hands once a round, ten seconds, and only while somebody waits. Who had his turn, in bytes or in time, makes
//     room for who waited longest; every third round one slot is tried on the peer that came last.
//   - No peer is choked and unchoked in one burst, or either of them twice within a round: clients take quick flips for an
//     attack, and rtorrent stalls for good.
//   - The number of slots, unless it is configured, is every peer there is, and shrinks only when what each of them gets is
//     too slow to be of use.
//
// While we lack something ourselves, [Choker.SetLeeching], slots are no matter of fairness: they go to those that gave us most in
// the last rounds, told by [Choker.Received], and one of them, the optimistic unchoke, to each of the others in turn for thirty
// seconds. Where there are slots for everybody this changes nothing.
//
// Everything is a pure function of the calls made: no goroutine, clock, lock or log. A Choker belongs to one goroutine.
package choke
