package metainfo

import (
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxPathElements  = 100 // directories deep; libtorrent's bound
	maxElementLength = 255 // bytes; what file systems take
)

// pathRules are what the file systems of a system ask for beyond the rules
// that hold everywhere.
type pathRules struct {
	windows  bool // refuses some names and characters
	foldCase bool // "A" and "a" are one file
}

var hostRules = pathRules{
	windows:  runtime.GOOS == "windows",
	foldCase: runtime.GOOS == "windows" || runtime.GOOS == "darwin",
}

// element makes a stranger's path element safe, or reports false when nothing
// is left of it ("" and ".") or it must be refused ("..").
func (r pathRules) element(s string) (string, bool) {
	if s == "" || s == "." || s == ".." {
		return "", false
	}
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || r.forbidden(c) {
			return '_'
		}
		return c
	}, s)
	if r.windows {
		return windowsName(shorten(s, maxElementLength-1)), true
	}
	return shorten(s, maxElementLength), true
}

// forbidden reports whether c may not be in a path element: it separates, ends
// or steers (control characters), or makes the rest read backwards.
func (r pathRules) forbidden(c rune) bool {
	switch {
	case c == '/', c == '\\':
		return true
	case c < 0x20, 0x7f <= c && c < 0xa0: // C0, DEL, C1
		return true
	case c == 0x061c, c == 0x200e, c == 0x200f, 0x202a <= c && c <= 0x202e, 0x2066 <= c && c <= 0x2069:
		return true // the Unicode property Bidi_Control
	}
	return r.windows && strings.ContainsRune(`<>:"|?*`, c)
}

// shorten cuts s to at most limit bytes, on a character's border, and keeps
// a short extension.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	_, ext := cutExt(s)
	end := limit - len(ext)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ext
}

// windowsName changes the names that Windows keeps for devices, and the
// trailing dots and spaces that it drops.
func windowsName(s string) string {
	if kept := strings.TrimRight(s, ". "); kept != s {
		s = kept + strings.Repeat("_", len(s)-len(kept))
	}
	stem, _, _ := strings.Cut(s, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return "_" + s
	}
	for _, device := range []string{"COM", "LPT"} {
		if number, ok := strings.CutPrefix(stem, device); ok && strings.Contains("0 1 2 3 4 5 6 7 8 9 ¹ ² ³", number) && number != "" {
			return "_" + s
		}
	}
	return s
}

// nameSet gives each file of a torrent a path of its own.
type nameSet struct {
	rules pathRules
	files map[string]bool // joined paths already given
	dirs  map[string]bool // joined paths that a file lies below
	next  map[string]int  // the last number tried for a path
}

// separate renames files whose path another file has, or another file lies
// below: "a" becomes "a.1", "a.txt" becomes "a.1.txt". The first one keeps its
// name. Pads are not kept on a disk and stay as they are.
func (r pathRules) separate(files []File) {
	set := nameSet{r, make(map[string]bool, len(files)), make(map[string]bool), make(map[string]int)}
	for _, f := range files {
		if f.Pad {
			continue
		}
		key := set.key(f.Path)
		for i := len(key) - 1; i > 0; i-- {
			if key[i] == '/' {
				set.dirs[key[:i]] = true
			}
		}
	}
	for i := range files {
		if !files[i].Pad {
			files[i].Path = set.claim(files[i].Path)
		}
	}
}

// key returns the path as the file system compares it.
func (s *nameSet) key(path []string) string {
	key := strings.Join(path, "/")
	if s.rules.foldCase {
		key = strings.ToLower(key)
	}
	return key
}

// claim returns path, or the first free variant of it, and marks it as given.
// A variant's number is tried once only, so that n equal names cost n steps.
func (s *nameSet) claim(path []string) []string {
	first := s.key(path)
	key := first
	for s.files[key] || s.dirs[key] {
		s.next[first]++
		last := len(path) - 1
		variant := append(path[:last:last], numbered(path[last], s.next[first]))
		key = s.key(variant)
		if !s.files[key] && !s.dirs[key] {
			path = variant
		}
	}
	s.files[key] = true
	return path
}

// numbered puts n before the extension of name.
func numbered(name string, n int) string {
	number := "." + strconv.Itoa(n)
	if stem, ext := cutExt(name); ext != "" {
		number, name = number+ext, stem
	}
	return shorten(name, maxElementLength-len(number)) + number
}

// cutExt splits a short extension with its dot from name.
func cutExt(name string) (stem, ext string) {
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= 16 {
		return name[:dot], name[dot:]
	}
	return name, ""
}
