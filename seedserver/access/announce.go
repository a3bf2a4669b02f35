package access

import (
	"crypto/hmac"
	"time"
)

const (
	idSize  = 8  // bytes of an announce key that say whose it is
	macSize = 16 // bytes that prove it
	keySize = idSize + macSize
)

// AnnounceKey returns the key with which v announces a torrent: 32 characters that can stand in a URL. It tells nobody but us who
// v is, and is good for this infohash alone.
func (g *Guard) AnnounceKey(now time.Time, v Viewer, infohash [20]byte) string {
	id := g.idOf(v)
	g.mu.Lock()
	g.holders[id] = v
	g.mu.Unlock()
	key := append(id[:], g.announceSum(now, v, infohash)...)
	return base64url.EncodeToString(key)
}

// Announcer returns whose announce key of a torrent key is, and false if it is none: made up, for another torrent, or of an earlier
// epoch. Whether v may have the torrent still has to be asked.
func (g *Guard) Announcer(now time.Time, key string, infohash [20]byte) (v Viewer, ok bool) {
	if len(key) != base64url.EncodedLen(keySize) {
		return Viewer{}, false
	}
	b, err := base64url.DecodeString(key) // which passes over line ends, so that b may be shorter than key says
	if err != nil || len(b) != keySize {
		return Viewer{}, false
	}
	us := g.current(now)
	g.mu.Lock()
	v, ok = g.holders[[idSize]byte(b)]
	g.mu.Unlock()
	if !hmac.Equal(b[idSize:], g.announceSum(now, v, infohash)) || !ok {
		return Viewer{}, false
	}
	if _, known := us.byName[v.user]; v.user != "" && !known {
		return Viewer{}, false
	}
	return v, true
}

// Know makes the announce keys of those that r names readable.
func (g *Guard) Know(r Rule) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range r.Viewers {
		g.holders[g.idOf(v)] = v
	}
}

func (g *Guard) idOf(v Viewer) [idSize]byte {
	sum := keyed(g.cfg.Secret, []byte("holder"), []byte(v.user), v.key[:])
	return [idSize]byte(sum[:])
}

func (g *Guard) announceSum(now time.Time, v Viewer, infohash [20]byte) []byte {
	epoch := g.current(now).byName[v.user].epoch
	sum := keyed(g.cfg.Secret, []byte("announce"), []byte(v.user), v.key[:], infohash[:], epoch[:])
	return sum[:macSize]
}
