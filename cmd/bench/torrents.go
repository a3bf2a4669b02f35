package main

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

const (
	treeFile = 4 << 10 // bytes of each of many files
	perDir   = 1000
)

var torrents = section{
	name: "torrents", title: "Many torrents", about: aboutTorrents, measure: manyTorrents(100, 1_000, 10_000),
}

// library is apart because it takes as long as all others together.
var library = section{
	name: "library", title: "100,000 torrents", about: "As above, with 100,000 files.", measure: manyTorrents(100_000),
}

const aboutTorrents = `Directories of files of 4 KiB, a torrent each. *Ready* is from the start of the program until all are seeded, with what it knew before;
one of them is then downloaded. libtorrent is given the .torrent files and believes without a look that all is there (seed mode). *Idle* is without
peers. Memory is that of four seconds later, when not all that starting left behind has gone back to the system. *First start* hashes and publishes all, once. A *rescan* is what makes up for events that the file system did not tell of, by default once a
minute; *find* is one look at each file by that program. What a torrent costs falls to a bottom, since the program itself takes some MiB; starting, publishing and
rescanning are proportional to the files, as each has a row in the state database to read or write, and must be looked at.`

// manyTorrents measures directories of so many files.
func manyTorrents(sizes ...int) func(ctx context.Context, l *lab) ([]*table, error) {
	return func(ctx context.Context, l *lab) ([]*table, error) {
		all := &many{
			restart: newTable("Restart", "torrents|program", "ready s|CPU s until then|anonymous MiB|KiB each|idle CPU ms/s|stop s"),
			first:   newTable("First start", "files|program", "ready s|CPU s|ms CPU each"),
			rescan:  newTable("Rescan of an unchanged tree", "files|program", "CPU ms|us each"),
		}
		for _, n := range l.sizes(sizes...) {
			tree, err := l.plant(n)
			if err == nil {
				err = all.measure(ctx, l, tree)
			}
			if err = errors.Join(err, os.RemoveAll(tree.top)); err != nil {
				return nil, fmt.Errorf("%d files: %w", n, err)
			}
			l.say("%d torrents", n)
		}
		return []*table{all.restart, all.first, all.rescan}, nil
	}
}

// many is the tables of this section.
type many struct{ restart, first, rescan *table }

// measure fills the rows of one tree.
func (m *many) measure(ctx context.Context, l *lab, tree *tree) error {
	state := fmt.Sprint("state-", tree.files)
	s, ready, err := l.publish(ctx, tree, state)
	if err != nil {
		return err
	}
	cpu := s.usage().cpu
	s.stop()
	r := m.first.row(tree.files, oursName)
	r.add("ready s", ready.Seconds())
	r.add("CPU s", cpu)
	r.add("ms CPU each", 1000*cpu/float64(tree.files))
	for range l.rounds {
		if err := m.ours(ctx, l, tree, state); err != nil {
			return err
		}
		if l.others.python == "" {
			continue
		}
		if err := m.theirs(ctx, l, tree); err != nil {
			return err
		}
	}
	return m.again(ctx, l, tree, state)
}

// ours is one restart of ours.
func (m *many) ours(ctx context.Context, l *lab, tree *tree, state string) error {
	s, ready, err := l.publish(ctx, tree, state)
	if err != nil {
		return err
	}
	defer s.stop()
	one, err := s.torrent(ctx, tree.last)
	if err != nil {
		return err
	}
	return l.rest(ctx, &seed{s.process, s.peer}, one, ready, tree.files, m.restart.row(tree.files, oursName))
}

// theirs is one of libtorrent's.
func (m *many) theirs(ctx context.Context, l *lab, tree *tree) error {
	begin := time.Now()
	p, at, err := l.theirs(ctx, "believe", tree.flat, tree.torrents)
	if err != nil {
		return err
	}
	defer p.stop()
	ready := time.Since(begin)
	one, err := tree.torrent()
	if err != nil {
		return err
	}
	return l.rest(ctx, &seed{p, at}, one, ready, tree.files, m.restart.row(tree.files, fastName))
}

// again lets ours look at everything every few seconds, so that in each round it does it once.
func (m *many) again(ctx context.Context, l *lab, tree *tree, state string) error {
	const every = 2 * time.Second
	s, _, err := l.publish(ctx, tree, state, "--rescan", every.String())
	if err != nil {
		return err
	}
	defer s.stop()
	if err := pause(ctx, every/2); err != nil {
		return err
	}
	r := func(name string, cpu float64) {
		r := m.rescan.row(tree.files, name)
		r.add("CPU ms", 1000*cpu)
		r.add("us each", 1e6*cpu/float64(tree.files))
	}
	for range l.rounds {
		before := s.usage().cpu
		if err := pause(ctx, every); err != nil {
			return err
		}
		r(oursName, s.usage().cpu-before)
		_, cpu, err := finish(ctx, l.dir, "find", tree.data, "-newermt", "2099-01-01")
		if err != nil {
			return err
		}
		r("find", cpu.Seconds())
	}
	return nil
}

// publish starts ours on the data of t and waits until all are torrents.
func (l *lab) publish(ctx context.Context, t *tree, state string, more ...string) (*server, time.Duration, error) {
	begin := time.Now()
	s, err := l.serve(ctx, t.data, state, more...)
	if err != nil {
		return nil, 0, err
	}
	if err := s.await(ctx, "its torrents", func() bool { return s.published() == t.files }); err != nil {
		s.stop()
		return nil, 0, err
	}
	return s, time.Since(begin), nil
}

// rest downloads one of the torrents of s and notes in r what it costs to have n.
func (l *lab) rest(ctx context.Context, s *seed, one *metainfo.Torrent, ready time.Duration, n int, r *row) error {
	cpu := s.usage().cpu
	if _, err := pull(ctx, s, one, 1, 1, time.Millisecond); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil { // the end of starting, and of that download
		return err
	}
	before := s.usage()
	if err := pause(ctx, l.window); err != nil {
		return err
	}
	after := s.usage()
	r.add("ready s", ready.Seconds())
	r.add("CPU s until then", cpu)
	r.add("anonymous MiB", after.anon/(1<<20))
	r.add("KiB each", after.anon/1024/float64(n))
	r.add("idle CPU ms/s", 1000*(after.cpu-before.cpu)/l.window.Seconds())
	r.add("stop s", s.stop().Seconds())
	return nil
}

// tree is n files twice: in directories for who serves a directory, and all in one, as links, with their .torrent files, for who does not.
type tree struct {
	top, data, flat, torrents string
	files                     int
	last                      string // one of them, relative to data
}

// plant makes a tree of n files. Whatever there is of it is there with an error, too.
func (l *lab) plant(n int) (*tree, error) {
	top := filepath.Join(l.dir, fmt.Sprint("tree-", n))
	t := &tree{files: n, top: top, data: filepath.Join(top, "data"), flat: filepath.Join(top, "flat"), torrents: filepath.Join(top, "torrents")}
	var errs []error
	for _, dir := range []string{t.data, t.flat, t.torrents} {
		errs = append(errs, os.MkdirAll(dir, 0o755))
	}
	for i := range n {
		seed := sha256.Sum256(fmt.Append(nil, i))
		text := slices.Repeat(seed[:], treeFile/len(seed))
		name := fmt.Sprintf("%06d.bin", i)
		t.last = fmt.Sprintf("%03d/%s", i/perDir, name)
		path := filepath.Join(t.data, t.last)
		if i%perDir == 0 {
			errs = append(errs, os.Mkdir(filepath.Dir(path), 0o755))
		}
		hash := sha1.Sum(text)
		torrent := fmt.Sprintf("d4:infod6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces20:%see", len(text), len(name), name, block, hash[:])
		errs = append(errs, os.WriteFile(path, text, 0o644), os.Link(path, filepath.Join(t.flat, name)),
			os.WriteFile(filepath.Join(t.torrents, name+".torrent"), []byte(torrent), 0o644))
		if err := errors.Join(errs...); err != nil {
			return t, err
		}
		errs = errs[:0]
	}
	return t, nil
}

// torrent is that of the last file.
func (t *tree) torrent() (*metainfo.Torrent, error) {
	b, err := os.ReadFile(filepath.Join(t.torrents, filepath.Base(t.last)+".torrent"))
	if err != nil {
		return nil, err
	}
	return metainfo.Parse(b)
}
