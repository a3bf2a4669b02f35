package admission

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
)

const (
	maxList     = 256 << 20 // bytes of a file of infohashes
	maxTorrent  = 32 << 20  // bytes of a .torrent file
	maxListed   = 2_000_000 // torrents
	maxMessage  = 200       // bytes of a text to users
	messagesTxt = "messages.txt"
)

// Torrent is what is known of a torrent that is tracked.
type Torrent struct {
	Name    string // "" if not known
	Size    int64  // in bytes, 0 if not known
	Warning string // shown to its users next to the peers, or ""
	Failure string // shown to them instead of peers, or ""
}

// List is the torrents that are tracked. Its methods may be called concurrently,
// but Load by one goroutine only.
type List struct {
	path     string
	torrents atomic.Pointer[map[metainfo.InfoHash]Torrent]
	read     map[string]readFile // .torrent files by name
}

// readFile is a .torrent file as it was read.
type readFile struct {
	size     int64
	modified int64
	infohash metainfo.InfoHash
	torrent  Torrent
}

// NewList returns the list at path, a directory or a file. It is empty until
// Load.
func NewList(path string) *List {
	l := &List{path: path}
	l.torrents.Store(&map[metainfo.InfoHash]Torrent{})
	return l
}

// Load reads the list anew and returns how many torrents it has. Of a directory
// only the files that have changed are read; problems tells of files that are
// left out. If the list cannot be read, or a line of it, the old one stays.
func (l *List) Load() (n int, problems []error, err error) {
	info, err := os.Stat(l.path)
	if err != nil {
		return 0, nil, fmt.Errorf("reading the list of torrents: %w", err)
	}
	torrents := map[metainfo.InfoHash]Torrent{}
	if info.IsDir() {
		problems, err = l.readDir(torrents)
	} else {
		err = readLines(l.path, torrents)
	}
	if err != nil {
		return 0, problems, err
	}
	l.torrents.Store(&torrents)
	return len(torrents), problems, nil
}

// Find returns what is known of a torrent, and false if it is not tracked.
func (l *List) Find(infohash [20]byte) (Torrent, bool) {
	t, ok := (*l.torrents.Load())[infohash]
	return t, ok
}

// Allow is nil for a torrent that is tracked, or the refusal to send.
func (l *List) Allow(infohash [20]byte) error {
	t, ok := l.Find(infohash)
	switch {
	case !ok:
		return tracker.ErrNotRegistered
	case t.Failure != "":
		return &tracker.FailureError{Reason: t.Failure, RetryAfter: -1}
	}
	return nil
}

// Warning returns the text to send next to the peers of a torrent, or "".
func (l *List) Warning(infohash [20]byte) string {
	t, _ := l.Find(infohash)
	return t.Warning
}

// Each calls visit with the torrents that are tracked.
func (l *List) Each(visit func(infohash [20]byte, t Torrent) bool) {
	for infohash, t := range *l.torrents.Load() {
		if !visit(infohash, t) {
			return
		}
	}
}

// readDir reads the .torrent files of a directory, not those below it.
func (l *List) readDir(torrents map[metainfo.InfoHash]Torrent) (problems []error, err error) {
	entries, err := os.ReadDir(l.path)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of torrents: %w", err)
	}
	before := l.read
	l.read = map[string]readFile{}
	for _, e := range entries {
		info, err := e.Info()
		if filepath.Ext(e.Name()) != ".torrent" || err != nil || !info.Mode().IsRegular() || len(l.read) == maxListed {
			continue
		}
		f, known := before[e.Name()]
		if !known || f.size != info.Size() || f.modified != info.ModTime().UnixNano() {
			if f, err = readTorrent(filepath.Join(l.path, e.Name()), info); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", e.Name(), err))
				continue
			}
		}
		l.read[e.Name()] = f
		torrents[f.infohash] = f.torrent
	}
	messages := map[metainfo.InfoHash]Torrent{}
	err = readLines(filepath.Join(l.path, messagesTxt), messages)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return problems, err
	}
	for infohash, m := range messages {
		if t, ok := torrents[infohash]; ok {
			t.Warning, t.Failure = m.Warning, m.Failure
			torrents[infohash] = t
		}
	}
	return problems, nil
}

func readTorrent(path string, info fs.FileInfo) (readFile, error) {
	f := readFile{size: info.Size(), modified: info.ModTime().UnixNano()}
	if f.size > maxTorrent {
		return f, fmt.Errorf("it has more than %d MiB", maxTorrent>>20)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		return f, err
	}
	f.infohash, f.torrent = t.InfoHash, Torrent{Name: t.Info.Name, Size: t.Info.Length()}
	return f, nil
}

// readLines reads a file of infohashes.
func readLines(path string, torrents map[metainfo.InfoHash]Torrent) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the list of torrents: %w", err)
	}
	defer f.Close()
	return parseLines(io.LimitReader(f, maxList), filepath.Base(path), torrents)
}

func parseLines(r io.Reader, name string, torrents map[metainfo.InfoHash]Torrent) error {
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		digits, rest, _ := strings.Cut(string(line), " ")
		var infohash metainfo.InfoHash
		if n, err := hex.Decode(infohash[:], []byte(digits[:min(len(digits), 40)])); err != nil || n != 20 || len(digits) != 40 {
			return fmt.Errorf("%s: line %d: a line begins with an infohash of 40 hex digits", name, number)
		}
		t := torrents[infohash]
		if word, text, _ := strings.Cut(strings.TrimSpace(rest), " "); word != "" {
			if err := t.say(word, strings.TrimSpace(text)); err != nil {
				return fmt.Errorf("%s: line %d: %w", name, number, err)
			}
		}
		if torrents[infohash] = t; len(torrents) > maxListed {
			return fmt.Errorf("%s: it has more than %d torrents", name, maxListed)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// say sets the text that users are shown.
func (t *Torrent) say(word, text string) error {
	if text == "" || len(text) > maxMessage {
		return fmt.Errorf("a text has between 1 and %d bytes", maxMessage)
	}
	switch word {
	case "warning":
		t.Warning = text
	case "failure":
		t.Failure = text
	default:
		return fmt.Errorf("%q: after the infohash comes warning or failure and a text", word)
	}
	return nil
}
