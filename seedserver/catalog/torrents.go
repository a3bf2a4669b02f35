package catalog

import (
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// told is what the Publisher was last told about a torrent.
type told uint8

const (
	nothing told = iota
	seeding
	paused
)

// torrent is one infohash and the items that have its bytes.
type torrent struct {
	hash metainfo.InfoHash
	// holders have the bytes for certain, suspects are being checked.
	holders, suspects []*item

	told     told
	live     *Version // what the Publisher seeds from
	seq      uint64   // of the last order that it answers
	answered bool     // it did, and seeds
	problem  string   // why it could not
}

// order is one thing to tell the Publisher or the Store, in the order they are
// given.
type order struct {
	kind    orderKind
	hash    metainfo.InfoHash
	seq     uint64
	version *Version
	reason  string
	change  Change
}

type orderKind uint8

const (
	orderWrite orderKind = iota
	orderPublish
	orderPause
	orderResume
	orderRetire
)

// hold says that it was hashed to be version, of the info dict info.
func (c *core) hold(it *item, now time.Time, version *Version, info []byte) {
	if it.torrent != nil && it.torrent.hash != version.InfoHash {
		reason := "changed"
		if it.saved != version.Path {
			reason = "renamed"
		}
		c.release(it, now, reason)
	}
	if r := c.records[version.Path]; r != nil { // its directory could not be read at the start
		c.unclaim(r)
		if r.InfoHash != version.InfoHash {
			c.retireRecord(r, now, "changed")
		}
	}
	if other := c.savedBy[version.Path]; other != nil && other != it {
		// It was renamed, and another file came to its old path before it was
		// hashed again. The entry stays with the path.
		c.release(other, now, "replaced")
		c.setSaved(other, "")
	}
	change := Change{At: now, Record: version.Record, Info: info}
	if it.saved != version.Path {
		change.From = it.saved
	}
	c.orders = append(c.orders, order{kind: orderWrite, change: change})
	c.setSaved(it, version.Path)
	c.join(it, now, version, true)
}

// join makes it a holder of version's torrent, or a suspect one.
func (c *core) join(it *item, now time.Time, version *Version, certain bool) {
	t := c.torrents[version.InfoHash]
	if t == nil {
		t = &torrent{hash: version.InfoHash}
		c.torrents[t.hash] = t
	}
	t.drop(it)
	it.torrent, it.version = t, version
	if certain {
		it.phase, it.way = held, nil
		t.holders = append(t.holders, it)
	} else {
		t.suspects = append(t.suspects, it)
	}
	c.mark(it.node)
	c.reconcile(t, now, "")
}

// suspect says that the bytes of it may not be those of its torrent any more.
func (c *core) suspect(it *item) {
	if t := it.torrent; t != nil {
		t.drop(it)
		t.suspects = append(t.suspects, it)
		c.reconcile(t, time.Time{}, "")
	}
}

// release parts it from its torrent.
func (c *core) release(it *item, now time.Time, reason string) {
	t := it.torrent
	if t == nil {
		return
	}
	t.drop(it)
	it.torrent, it.version = nil, nil
	c.orders = append(c.orders, order{kind: orderWrite, change: Change{
		Retired: reason, At: now, Record: Record{Path: it.saved, Unit: it.unit, InfoHash: t.hash},
	}})
	c.reconcile(t, now, reason)
}

func (t *torrent) drop(it *item) {
	is := func(other *item) bool { return other == it }
	t.holders = slices.DeleteFunc(t.holders, is)
	t.suspects = slices.DeleteFunc(t.suspects, is)
}

// replace puts heir, still to be checked, in the place of old.
func (t *torrent) replace(old, heir *item) {
	t.drop(old)
	t.suspects = append(t.suspects, heir)
}

// reconcile tells the Publisher what follows from who has the bytes of t.
func (c *core) reconcile(t *torrent, now time.Time, reason string) {
	switch {
	case len(t.holders) > 0:
		if t.told == seeding && slices.ContainsFunc(t.holders, func(it *item) bool { return it.version == t.live }) {
			return
		}
		holder := t.holders[0]
		version := holder.version
		kind := orderResume
		if t.told == nothing {
			kind = orderPublish
		}
		t.told, t.live, t.problem = seeding, version, ""
		t.seq++
		c.setAnswered(t, false)
		c.orders = append(c.orders, order{kind: kind, hash: t.hash, seq: t.seq, version: holder.node.withPolicies(version)})
	case len(t.suspects) > 0:
		if t.told == seeding {
			t.told, t.live, t.problem = paused, nil, ""
			t.seq++
			c.setAnswered(t, false)
			c.orders = append(c.orders, order{kind: orderPause, hash: t.hash})
		}
	default:
		delete(c.torrents, t.hash)
		c.setAnswered(t, false)
		if t.told != nothing {
			c.orders = append(c.orders, order{kind: orderRetire, hash: t.hash, reason: reason})
		}
	}
}

// setAnswered notes whether the Publisher seeds t, and shows it.
func (c *core) setAnswered(t *torrent, answered bool) {
	if t.answered != answered {
		t.answered = answered
		if answered {
			c.seeded++
		} else {
			c.seeded--
		}
	}
	for _, it := range t.holders {
		c.mark(it.node)
	}
}

// withPolicies returns v, the version of n, or if the directories above have
// policies a copy of it with them.
func (n *node) withPolicies(v *Version) *Version {
	var policies []map[string]any
	for at := n; at != nil; at = at.parent {
		if at.rules.set != nil && at.rules.set.Policy != nil {
			policies = append(policies, at.rules.set.Policy)
		}
	}
	if policies == nil {
		return v
	}
	slices.Reverse(policies)
	told := *v
	told.Policies = policies
	return &told
}
