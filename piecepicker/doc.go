// Package piecepicker decides, for one torrent that we seed, which piece is shown to whom, and how fast it is sent; and for one
// that we download, which block is asked of whom.
//
// The seed poses as a leech that has nothing and reveals pieces one by one (BEP 16), so that each goes out once and its
// recipient has to pass it on. It believes that a piece is out only when somebody says so whom it did not give it to. What
// nobody has is sent at full rate; what the swarm can do itself it does itself.
//
// # Nouns
//
// A [Picker] is told events and gives [Decision] values: whom to offer what, whom to choke, whom to drop, and for what
// [Reason]. It is pure: time and randomness come in, nothing goes out but values.
//
// A peer is a leech until it says that it has everything. A taker is a leech that is offered pieces. An offer, or loan, is a
// piece revealed to a peer that does not have it yet. A holder is a peer we believe to have a piece. A piece is needed when it
// has no holder, or too few and stalled. Availability is how many copies are believed to be out.
//
// # Three questions
//
// Each has its file, which can be read and changed without the others.
//
//	need.go       What is needed?   unsent, lost, stalled
//	recipient.go  Who gets it?      who has the least out for what it has shown
//	throttle.go   How fast?         all for need; else half for each further copy
//
// Around them: carry.go (when others do without us), claims.go (whose word counts), audit.go (who has to show what it claims),
// relay.go (who passes on what it got), loan.go (what became of an offer), blocked.go (who asks for nothing), silent.go (nobody
// does), lag.go (who does not read what it is sent), rechoke.go (whom leeches unchoke), strangers.go (who has shown nothing yet),
// rescue.go (leeches the swarm gives nothing), stranded.go (those that lost who has their last piece), mixed.go (pieces that others began,
// and for which we would be blamed), harmed.go (leeches that lost partners by such), lull.go (what is normal for a peer),
// gate.go (the last pieces wait for the slow), window.go (how much is on its way at a time), fill.go (the order of all this),
// sweep.go (what the clock brings about), rarity.go and heap.go (finding a piece and a peer fast), record.go and snapshot.go (what
// outlives a connection, and a restart).
//
// # Use
//
// Tell the picker each event, then call [Picker.Tick] and do what it says, and call it again at [Picker.Next]. Before a block
// is sent ask [Picker.Requested]; when it was sent, say so with [Picker.BlockSent]. Look like a leech: HAVE NONE or no bitfield,
// never upload_only, no ALLOWED FAST, no SUGGEST.
//
// # Defaults
//
//	pieces a newcomer may have out            2; each that it passes on adds one, to 32; 3 times that if nobody better is there
//	a piece must be passed on within          6 times the usual delay, 30 s to 5 min; late ones are credited for 15 min
//	strangers, who passed nothing on yet      together a fifth of what is on its way, while others could take it; these have their window
//	                                          without what is on its way to strangers; for 20 s after one let lie what it was offered, the
//	                                          last that is needed, as much as the line carries in 2 s, is for those others
//	who does not read what it is sent         is offered nothing, and what it was lent is for others when the line would idle
//	hoarder                                   2 overdue, and more than 4 for each piece passed on
//	who takes nothing it was offered          while others do and the line idles: loses it after 2 s to them, who alone may have it for
//	                                          20 s, and is offered nothing until it asks; so, too, while nobody takes anything, but others
//	                                          wait, and the line idled for 2 s, or as long as two pieces take
//	who asks for nothing of what it was shown loses it after 2 s if the line idles; among liars at any time after 4 times as long as it
//	                                          usually takes to ask, at least 0.25 s
//	believed without evidence                 2 peers of each /24 or /48; of those who took no piece, one for four who did
//	liar                                      3 pieces claimed that never left us, while no other origin is known
//	pieces that never left us are left to     when one has shown that it has such, and leeches got 3 of them
//	other seeds
//	an audit                                  3 blocks of 16 KiB of different pieces; holds 45 min; one block more after 30 to 40;
//	                                          before it 128 bytes, to see who answers, while others are silent
//	asked of one peer in an hour              64 KiB; of all a hundredth of what was sent; of 4 leeches at a time
//	interest for the sake of its slots        of a new leech for 5 s; with 4 liars and more about, until it was lost and shown again
//	                                          60 times, once a second, by those who choke us for it
//	asked again after silence                 1 min, doubled each time to 64; after a refusal 10 s, to 11 min;
//	                                          who sent wrong bytes is banned for a week
//	an offer is taken back                    not asked for in 20 s (10 s if the peer is not interested); slow for 30 s:
//	                                          below a twentieth of the median, or 1 KiB/s
//	a piece sent whole counts as received     when the peer says so, is no longer interested, or after 5 s
//	                                          when the line idles: nothing asked of us for 2 s, by who took pieces before
//	offered ahead to one peer                 what it takes in a second, at least two pieces; alone: in three, at least 4 MiB,
//	                                          which is in nobody's way who comes then
//	on its way in all                         what the line carries in a second, at least four pieces; more while that helps
//	in swarms of 16 and less                  everybody is offered something needed every 20 s, the first time at once
//	choke and unchoke of a peer               10 s apart; choked after 30 s without an offer
//	stalled                                   10 times the swarm's usual time for a holder, 1 to 10 min
//	a lull of a peer                          the time in which it usually gets 20 pieces, 5 to 30 s
//	starving                                  90 s without a piece from the swarm, who passes pieces on 3 lulls, or 1 among liars; the
//	                                          unproven share a quarter of the rate
//	stranded                                  lacks one piece, which only complete peers have, for 4 times as long as a piece usually
//	                                          takes it, 1 s at least; not assisted before
//	junk is about                             for 10 min after an audit that brought wrong bytes
//	a piece that others began is taken back   then, and if it never left us, from who understands lt_donthave, while it could have us
//	                                          banned: see mixed.go; shown again when it could not, or when nothing else is lacking for 1 s
//	the last 8 pieces, and two for each       are for the points of libtorrent: given when some are lacking, and kept otherwise, for 2 s
//	that was taken back                       without a new piece
//	who gets less of others than most         comes sooner for what is needed, while junk is about
//	who will be complete twice as late as     gets an eighth of what is sent, while junk is about; and who gets nothing for as long as
//	most, and 2 s from now at least           ten pieces usually take it, and 1 s, is starving
//	release gate                              2 % of the pieces, at least 4, and one for each 8 leeches; with 5 leeches and more;
//	                                          conservative mode only; not within a minute of 4 liars
//	the last two pieces                       go to one peer, where they make it complete, or where it was shown all others
//	rate                                      halves with each copy (conservative), with every four (balanced), never (generous)
//	                                          conservative: a piece in 10 min, when 2 audited copies were there for 30 s, nothing
//	                                          was needed, and most leeches get something of others; balanced: 8 copies
//	floor of need under a budget              1.5 pieces for each arriving peer
//	sleep                                     5 copies from 3 networks for 15 min; awake below 2, or when anybody is in need
//
// # Cost
//
// A HAVE moves a piece by one place in an array ordered by rarity; a pick looks at a few pieces and a few peers. Best of some
// runs on two shared cores, in nanoseconds:
//
//	                       2,000   8,000  32,000  100,000 pieces
//	HAVE, 50 peers            47      47     108      248
//	HAVE, 5,000 peers        106     278     279      317      half of all pieces each, events at random: cache misses
//	need, 5,000 peers        415     238     274      215      an offer, and taking it back
//	assist, 5,000 peers      286     294     287      300
//	rarest, worst case       254     282     348      462      for a peer that lacks 20 pieces, all of them common
//
// 5,000 half-full peers of 100,000 pieces take 75 MB, of which their bitfields are 62; the work of each second is 1 ms.
//
// # Where it differs from the text it follows
//
// BEP 16 says when to reveal the next piece, and not what to believe, when to stop, or what to do with those who pass on
// nothing. Beside that, where the published designs of such seeds disagree or are silent:
//
//   - The rate follows the throttle as soon as nothing is needed, without a delay: of a file that takes half a minute to send,
//     half a minute at full rate would be another copy. There is hysteresis where changing has a price: for sleep, for chokes,
//     for the window.
//   - What we gave to a peer counts without a place among the believed of its network, since it is no claim.
//   - A piece of which no whole copy left us is needed whatever is claimed, and no copy is out before it was sent: an audit shows
//     that a peer has a file, and not that it gives any of it. When leeches that take pieces of us got a few that never left us, somebody
//     does, and the others are left to it.
//   - A peer that waits for others with what it was shown is unchoked once more with each offer: see [KindRemind].
//   - Two audited seeds bring assistance to its floor, where the law leaves half of the rate: that is for copies that are only
//     believed, in leeches that may leave any moment and have little to give. It takes half a minute to be sure, leeches that are
//     seen to get pieces of others, and ends at once with any need. While it is so and nobody starves, no piece counts as stalled:
//     of a large torrent most do not move for ten minutes.
//   - The floor is what a budget must leave for need. It does not feed assistance, beyond a piece in 10 min.
//   - The blocks of an audit follow each other within seconds: the window in which a seed answers may be short. An audit holds 45
//     min instead of 30, so that it can be repeated within 64 KiB an hour.
//   - Who took nothing it was offered, or got everything without us, is not among the believed of its network: a parrot does the same.
//   - Audited holders count as proven where stalled pieces are looked for.
//   - Needed pieces are ordered in tiers of 4 x copies sent + holders, not exactly by it.
//   - Who has a full window is offered pieces, one at a time, when nothing else is on its way: the line does not idle.
//   - We are interested in leeches not only to audit them, but also for their upload slots: see rechoke.go.
//   - The gate waits for nobody who came after it closed, or gets next to nothing of what it used to.
//   - What a peer asks others for, who may never send it, is lent to another as soon as the line would idle; among liars sooner, since
//     at the end each piece has to find a leech that did not ask a liar for it.
//   - Pieces that were shown are not hidden again but where they would have us banned.
//   - The number of peers served at a time is not fixed: it follows from the window.
//
// # Asking
//
// An [Asker] is the other side: it decides for a torrent that we download which block is asked of which peer. Each block is
// free, then requested, then received, and with all of its piece verified. It finishes pieces that were begun, begins the
// rarest (the first four at random), and when all that is missing was asked for, or there is no room to begin more, it asks up
// to three peers for the same blocks. Who owes blocks for a minute, or the first for ten seconds, is snubbed. A piece that failed is asked of one peer at a
// time, and who lied is known by comparing blocks. How much is on its way at a time, whom to connect to, and how long a liar
// is banned is the caller's to say. A block's whole way costs 50 ns with one peer and 140 with fifty.
//
// # Limitations
//
// It never ends its masquerade, in any mode: whoever seeds openly needs no picker. It does not choose whom to connect to, or whom to
// evict. An audit shows that a peer had a block when it was asked: it may have fetched it from another peer, and may serve nobody
// else. That the second does not put us to sleep is because leeches that starve are served whatever the availability; the first
// costs the liar the traffic of an honest peer. Copies sent by other ways, such as web seeds, are unknown to it. It decides for one torrent:
// sharing a line between torrents is the limiter's task. A client that has chosen not to want a piece cannot be told from one
// that is slow to ask. Two peers behind one address share their record.
package piecepicker
