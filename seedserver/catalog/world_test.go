package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// world drives a core over a file system of its own in virtual time. Scans,
// checks and hashes are answered at once unless they are held back.
type world struct {
	t       *testing.T
	cfg     Config
	core    *core
	view    *view
	now     time.Time
	files   map[string]*thing // by path
	nextIno uint64

	deaf      bool // events are lost
	lenient   bool // what is published need not be what is there: storage guards it
	holdHash  bool // hashes are not answered
	hashing   []*hashJob
	hashed    []string       // paths, in the order they were begun
	refuse    error          // what the Publisher answers
	unlisted  map[string]any // directories that cannot be listed
	log       []string       // what the Publisher and the Store were told since last asked
	records   []Record
	notes     []string
	published map[metainfo.InfoHash]*Version // nil value: paused
}

// thing is what is at a path of a world.
type thing struct {
	kind    kind
	stamp   Stamp
	content string
	writers writers
	unread  error // why it cannot be opened
}

func newWorld(t *testing.T, cfg Config) *world {
	w := &world{
		t: t, cfg: cfg, files: map[string]*thing{}, unlisted: map[string]any{},
		now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC),
	}
	w.mkdir("")
	return w
}

// start begins a run of the server, another one if there was one.
func (w *world) start() *world {
	rules, err := compileRules(w.cfg.Rules)
	require.NoError(w.t, err)
	units, err := compilePatterns(w.cfg.Units)
	require.NoError(w.t, err)
	w.hashing, w.log, w.hashed = nil, nil, nil
	w.published = map[metainfo.InfoHash]*Version{}
	w.core = newCore(&w.cfg, "top", rules, units, slices.Clone(w.records), w.now)
	w.view = newView()
	w.run()
	return w
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for {
		due := w.core.deadline()
		if due.IsZero() || due.After(end) {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		w.core.advance(w.now)
		w.run()
	}
	w.now = end
	w.run()
}

// run answers all that the core asks until it asks no more.
func (w *world) run() {
	c := w.core
	for range 100_000 {
		c.checkInvariants(w.t)
		for _, o := range c.orders {
			c.orders = c.orders[1:]
			w.obey(o)
		}
		switch {
		case len(c.scans) > 0:
			job := c.scans[0]
			c.prepare(job)
			c.scanTaken()
			if !job.unwatch {
				c.listed(w.now, w.list(job))
			}
		case len(c.checks) > 0:
			job := c.checks[0]
			c.checkTaken()
			c.checkDone(w.now, w.check(job))
		case c.nextHash() != nil:
			job := c.nextHash()
			c.startHash(job)
			w.hashed = append(w.hashed, job.path)
			w.hashing = append(w.hashing, job)
		case len(w.hashing) > 0 && !w.holdHash:
			job := w.hashing[0]
			w.hashing = w.hashing[1:]
			c.hashDone(w.now, w.hash(job))
		case len(c.orders) == 0:
			for _, n := range c.notes {
				w.notes = append(w.notes, fmt.Sprint(n.text, n.args))
			}
			c.notes = nil
			w.view.apply(c.takeShown())
			return
		}
	}
	w.t.Fatal("the core asks without end")
}

func (w *world) list(job *scanJob) listing {
	l := listing{job: job}
	dir := w.files[job.dir]
	if dir == nil || dir.kind != directory {
		l.gone = true
		return l
	}
	if w.unlisted[job.dir] != nil {
		l.err = errors.New("input/output error")
		return l
	}
	if _, asked := job.names[rulesName]; asked || job.whole {
		l.rules = w.rules(join(job.dir, rulesName), job.rules)
	}
	for path, f := range w.files {
		parent, name := split(path)
		if _, asked := job.names[name]; path != "" && parent == job.dir && (asked || job.whole) {
			l.found = append(l.found, found{name: name, kind: f.kind, stamp: f.stamp})
		}
	}
	return l
}

func (w *world) rules(path string, known Stamp) *rulesFile {
	f := w.files[path]
	if f == nil {
		f = &thing{}
	}
	if f.stamp == known {
		return nil
	}
	r := &rulesFile{stamp: f.stamp}
	rules, warning, err := ParseRules([]byte(f.content), true)
	if r.warning, r.err = warning, err; err == nil && f.stamp != (Stamp{}) {
		r.set, r.err = compileRules(rules)
	}
	return r
}

func (w *world) check(job *checkJob) checked {
	r := checked{job: job}
	for _, f := range job.files {
		there := w.files[f.Path]
		switch {
		case there == nil || there.stamp != f.Stamp:
			r.changed = append(r.changed, f.Path)
		case there.unread != nil:
			r.err = there.unread
		default:
			r.writers = max(r.writers, there.writers)
		}
	}
	return r
}

func (w *world) hash(job *hashJob) hashed {
	r := hashed{job: job}
	cfg := metainfo.BuildConfig{Name: job.name, Multi: job.unit, PieceLength: job.pieceLength, Private: job.private}
	for _, f := range job.files {
		there := w.files[f.Path]
		if there == nil || there.stamp != f.Stamp {
			r.changed = append(r.changed, f.Path)
			return r
		}
		in := metainfo.Input{Length: f.Stamp.Size, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(there.content)), nil
		}}
		if job.unit {
			in.Path = strings.Split(strings.TrimPrefix(f.Path[len(job.path):], "/"), "/")
		}
		cfg.Files = append(cfg.Files, in)
	}
	info, err := metainfo.Build(context.Background(), cfg)
	require.NoError(w.t, err)
	r.info = info
	r.version, r.err = versionOf(job, info)
	return r
}

// obey is the Publisher and the Store. It fails the test if an order makes no
// sense.
func (w *world) obey(o order) {
	v, known := w.published[o.hash]
	say := func(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }
	switch o.kind {
	case orderWrite:
		w.save(o.change)
		ch := o.change
		switch {
		case ch.Retired != "":
			say("forget %s: %s", ch.Record.Path, ch.Retired)
		case ch.From != "":
			say("save %s from %s", ch.Record.Path, ch.From)
		default:
			say("save %s", ch.Record.Path)
		}
	case orderPublish, orderResume:
		if o.kind == orderResume && known {
			say("resume %s", o.version.Path)
		} else {
			say("publish %s", o.version.Path)
			require.False(w.t, known, "published twice: %s", o.version.Path)
		}
		if !w.lenient {
			w.requireTrue(o.version)
		}
		if w.refuse != nil {
			w.core.answered(w.now, o, known, w.refuse)
			return
		}
		w.published[o.hash] = o.version
		w.core.answered(w.now, o, true, nil)
	case orderPause:
		if known {
			require.NotNil(w.t, v, "paused twice")
			w.published[o.hash] = nil
			say("pause")
		}
	case orderRetire:
		if known {
			delete(w.published, o.hash)
			say("retire: %s", o.reason)
		}
	}
}

// requireTrue fails the test if v is not what its files are.
func (w *world) requireTrue(v *Version) {
	requireInfoHash(w.t, v, func(f FileStamp) string {
		there := w.files[f.Path]
		require.NotNil(w.t, there, "published but not there: %s", f.Path)
		require.Equal(w.t, there.stamp, f.Stamp, f.Path)
		return there.content
	})
}

// requireInfoHash fails the test if v does not have the infohash of what read
// says is in its files.
func requireInfoHash(t *testing.T, v *Version, read func(FileStamp) string) {
	t.Helper()
	cfg := metainfo.BuildConfig{Name: v.Name, Multi: v.Unit, PieceLength: v.PieceLength, Private: v.Private}
	for _, f := range v.Files() {
		content := read(f)
		in := metainfo.Input{Length: int64(len(content)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(content)), nil
		}}
		if v.Unit {
			in.Path = strings.Split(strings.TrimPrefix(f.Path[len(v.Path):], "/"), "/")
		}
		cfg.Files = append(cfg.Files, in)
	}
	info, err := metainfo.Build(context.Background(), cfg)
	require.NoError(t, err)
	require.Equal(t, v.InfoHash, hashInfo(info), v.Path)
}

func (w *world) save(ch Change) {
	same := func(r Record) bool { return r.Path == ch.Record.Path && r.InfoHash == ch.Record.InfoHash }
	if ch.Retired != "" {
		before := len(w.records)
		w.records = slices.DeleteFunc(w.records, same)
		require.Equal(w.t, before-1, len(w.records), "retired but not saved: %s", ch.Record.Path)
		return
	}
	w.records = slices.DeleteFunc(w.records, func(r Record) bool {
		return same(r) || ch.From != "" && r.Path == ch.From && r.InfoHash == ch.Record.InfoHash
	})
	w.records = append(w.records, ch.Record)
	info, err := metainfo.ParseInfo(ch.Info)
	require.NoError(w.t, err)
	require.Equal(w.t, ch.Record.InfoHash, hashInfo(ch.Info))
	r := &ch.Record
	require.Equal(w.t, []any{info.Name, info.Length(), info.PieceLength, info.NumPieces(), info.Private},
		[]any{r.Name, r.Length(), r.PieceLength, r.NumPieces(), r.Private})
	for _, r := range w.records[:len(w.records)-1] {
		require.NotEqual(w.t, ch.Record.Path, r.Path, "two live versions of a path")
	}
}

// told returns what the Publisher and the Store were told since last asked.
func (w *world) told() []string {
	told := w.log
	w.log = nil
	return told
}

func (w *world) entry(path string) Entry {
	e, ok := w.view.lookup(path)
	require.True(w.t, ok, "%s is not in the catalog", path)
	return e
}

func (w *world) state(path string) State { return w.entry(path).State }

func (w *world) has(path string) bool {
	_, ok := w.view.lookup(path)
	return ok
}

// event says that something happened to path.
func (w *world) event(path string, h hint) {
	if w.core != nil && !w.deaf {
		dir, name := split(path)
		w.core.touch(w.now, dir, name, h)
	}
}

func (w *world) stampNew() Stamp {
	w.nextIno++
	t := w.now.UnixNano()
	return Stamp{Dev: 1, Ino: w.nextIno, ModTime: t, ChangeTime: t}
}

func (w *world) mkdir(path string) {
	for above := path; above != ""; {
		if w.files[above] == nil {
			w.files[above] = &thing{kind: directory, stamp: w.stampNew()}
			w.event(above, 0)
		}
		above, _ = split(above)
	}
	if w.files[""] == nil {
		w.files[""] = &thing{kind: directory, stamp: w.stampNew()}
	}
}

// write creates path, or writes it anew in place.
func (w *world) write(path, content string) *thing {
	f := w.files[path]
	h := wrote
	if f == nil || f.kind != regular {
		dir, _ := split(path)
		w.mkdir(dir)
		f = &thing{stamp: w.stampNew()}
		w.files[path] = f
	}
	f.content = content
	f.stamp.Size = int64(len(content))
	f.stamp.ModTime, f.stamp.ChangeTime = w.now.UnixNano(), w.now.UnixNano()
	w.event(path, h)
	return f
}

// old creates path as it is after it was written and left alone for so long.
func (w *world) old(path, content string, age time.Duration) *thing {
	now := w.now
	w.now = now.Add(-age)
	f := w.write(path, content)
	w.now = now
	return f
}

func (w *world) put(path string, k kind) {
	w.files[path] = &thing{kind: k, stamp: w.stampNew()}
	w.event(path, 0)
}

// chmod changes attributes of path.
func (w *world) chmod(path string) {
	w.files[path].stamp.ChangeTime = w.now.UnixNano()
	w.event(path, 0)
}

// rename moves path and all below it, over what is there.
func (w *world) rename(from, to string) {
	w.drop(to)
	for _, path := range slices.Collect(maps.Keys(w.files)) {
		if path == from || strings.HasPrefix(path, from+"/") {
			w.files[to+path[len(from):]] = w.files[path]
			delete(w.files, path)
		}
	}
	w.files[to].stamp.ChangeTime = w.now.UnixNano()
	w.event(from, 0)
	w.event(to, renamed)
}

// link gives the file at path a second name.
func (w *world) link(path, name string) {
	w.files[name] = w.files[path]
	w.files[path].stamp.ChangeTime = w.now.UnixNano()
	w.event(path, 0)
	w.event(name, 0)
}

func (w *world) drop(path string) {
	for below := range w.files {
		if below == path || strings.HasPrefix(below, path+"/") {
			delete(w.files, below)
		}
	}
}

// remove deletes path and all below it.
func (w *world) remove(path string) {
	w.drop(path)
	w.event(path, 0)
}
