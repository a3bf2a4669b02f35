package catalog

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// rulesName is the file that holds a directory's [Rules].
const rulesName = ".seedserver.toml"

// kind is what stands at a path.
type kind uint8

const (
	regular kind = iota
	directory
	symlink
	fifo
	socket
	device
	unknownKind // what the system would not tell
)

var kindReasons = [...]string{symlink: "symbolic link", fifo: "FIFO", socket: "socket", device: "device", unknownKind: "not a regular file"}

// verdict says whether a path is let in.
type verdict struct {
	state  State // Settling for what is let in, LeftOut or Temporary
	hidden bool
	reason string
}

func (v verdict) in() bool { return v.state == Settling }

var accepted = verdict{}

func leftOut(format string, args ...any) verdict {
	return verdict{state: LeftOut, reason: fmt.Sprintf(format, args...)}
}

// temporarySuffixes are the ends of names of unfinished files, in lower case:
// browsers, FTP clients, aria2, qBittorrent, µTorrent, editors.
var temporarySuffixes = []string{".part", ".partial", ".filepart", ".crdownload", ".aria2", ".tmp", ".!qb", ".!ut", "~"}

var junkFiles = map[string]bool{"core": true, "Thumbs.db": true, "desktop.ini": true}

// judgeName decides by the name and the kind alone.
func judgeName(name string, k kind) verdict {
	switch {
	case isRsyncTemporary(name):
		return verdict{state: Temporary, reason: "rsync is writing it", hidden: true}
	case strings.HasPrefix(name, "."):
		return verdict{state: LeftOut, reason: "name starts with a dot", hidden: true}
	case k != regular && k != directory:
		return leftOut("%s", kindReasons[k])
	case !utf8.ValidString(name):
		return leftOut("name is not valid UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return leftOut("name has a control character")
	case k == regular && junkFiles[name], k == directory && name == "CVS":
		return verdict{state: LeftOut, reason: "junk", hidden: true}
	}
	lower := strings.ToLower(name)
	for _, suffix := range temporarySuffixes {
		if strings.HasSuffix(lower, suffix) {
			return verdict{state: Temporary, reason: "name ends in " + name[len(name)-len(suffix):]}
		}
	}
	return accepted
}

// isRsyncTemporary reports whether name is rsync's ".name.XXXXXX".
func isRsyncTemporary(name string) bool {
	const random = 6
	dot := len(name) - random - 1
	if dot < 2 || name[0] != '.' || name[dot] != '.' {
		return false
	}
	for _, c := range []byte(name[dot+1:]) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
