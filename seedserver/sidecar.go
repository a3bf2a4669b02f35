package seedserver

import (
	"strings"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
)

const (
	sidecarSuffix = ".toml"
	maxSidecar    = 64 << 10 // bytes
)

// sidecars knows the published files NAME.toml that have nothing but a title and a description: what they say of the NAME beside
// them. A sidecar is a file like any other, with an address and a torrent; only the list of its directory shows what it says
// instead of it. They are kept by infohash, since a torrent goes on where its file is renamed, and one file may lie at two places.
type sidecars struct {
	mu     sync.RWMutex
	byHash map[metainfo.InfoHash]catalog.Description
}

// canBeSidecar reports whether v is worth reading.
func canBeSidecar(v *catalog.Version) bool {
	return !v.Unit && strings.HasSuffix(v.Name, sidecarSuffix) && v.Length() <= maxSidecar
}

// add takes what v says, if it is a sidecar. content is its bytes.
func (sc *sidecars) add(v *catalog.Version, content []byte) {
	d, ok := parseSidecar(content)
	if !ok {
		return
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.byHash == nil {
		sc.byHash = map[metainfo.InfoHash]catalog.Description{}
	}
	sc.byHash[v.InfoHash] = d
}

// remove forgets a retired torrent.
func (sc *sidecars) remove(h metainfo.InfoHash) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	delete(sc.byHash, h)
}

// of returns what the file e says if it is a sidecar.
func (sc *sidecars) of(e catalog.Entry) (catalog.Description, bool) {
	if e.State != catalog.Published || e.InUnit {
		return catalog.Description{}, false
	}
	sc.mu.RLock()
	defer sc.mu.RUnlock()
	d, ok := sc.byHash[e.InfoHash]
	return d, ok
}

// said is what the sidecars of one directory say, by the name that each describes.
type said map[string]catalog.Description

// from reports whether name is the name of such a sidecar.
func (s said) from(name string) bool {
	if len(s) == 0 {
		return false
	}
	name, ok := strings.CutSuffix(name, sidecarSuffix)
	_, said := s[name]
	return ok && said
}

// parseSidecar reads a sidecar: TOML with a title, a description or both, and nothing else. Other TOML is somebody's file.
func parseSidecar(b []byte) (d catalog.Description, ok bool) {
	rules, warning, err := catalog.ParseRules(b, false)
	d = rules.Description
	only := err == nil && warning == "" && len(rules.Include)+len(rules.Exclude)+len(rules.Meta) == 0 &&
		rules.MinSize == 0 && rules.MaxSize == 0 && !rules.Unit && rules.Policy == nil
	return d, only && d != catalog.Description{}
}
