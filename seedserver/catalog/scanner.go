package catalog

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

// scanner lists directories and checks files for the loop.
type scanner struct {
	root     *os.Root
	maxNames int              // read from one directory
	watch    func(dir string) // begins the events of a directory
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// list answers a scanJob. A directory is watched before it is read, so that
// nothing falls between.
func (s *scanner) list(ctx context.Context, job *scanJob) listing {
	l := listing{job: job}
	if job.whole {
		s.watch(job.dir)
	}
	dir, err := openDirectory(s.root, job.dir)
	if err != nil {
		l.failed(err)
		return l
	}
	defer dir.Close()

	if _, asked := job.names[rulesName]; asked || job.whole {
		l.rules = readRules(dir, job.rules)
	}
	names, err := dir.Open(".")
	if err != nil {
		l.failed(err)
		return l
	}
	defer names.Close()
	if !job.whole {
		for name := range job.names {
			l.look(dir, names, name)
		}
		return l
	}
	for ctx.Err() == nil {
		batch, err := names.Readdirnames(1024)
		l.found = slices.Grow(l.found, len(batch))
		for _, name := range batch {
			l.look(dir, names, name)
		}
		if len(l.found) > s.maxNames {
			l.partial = true
			return l
		}
		if err == io.EOF {
			return l
		}
		if err != nil {
			l.failed(err)
			return l
		}
	}
	l.failed(ctx.Err())
	return l
}

// look adds name in dir, which names is too, if it is there.
func (l *listing) look(dir *os.Root, names *os.File, name string) {
	kind, stamp, err := examine(dir, names, name)
	switch {
	case err == nil:
		l.found = append(l.found, found{name: name, kind: kind, stamp: stamp})
	case !isNotExist(err):
		l.found = append(l.found, found{name: name, kind: unknownKind})
	}
}

// failed says why there is no listing.
func (l *listing) failed(err error) {
	*l = listing{job: l.job, gone: isNotExist(err)}
	if !l.gone {
		l.err = err
	}
}

// check answers a checkJob.
func (s *scanner) check(job *checkJob) checked {
	r := checked{job: job}
	folder := folder{root: s.root}
	defer folder.close()
	for _, f := range job.files {
		w, same, err := checkFile(&folder, f)
		switch {
		case err != nil:
			r.err = err
			return r
		case !same:
			r.changed = append(r.changed, f.Path)
		case w == somebody:
			r.writers = somebody
			return r
		case w == cannotSee:
			r.writers = cannotSee
		}
	}
	return r
}

// checkFile reports whether f is as it was, and who writes it.
func checkFile(folder *folder, f FileStamp) (w writers, same bool, err error) {
	dir, name := split(f.Path)
	d, err := folder.open(dir)
	if isNotExist(err) {
		return nobody, false, nil
	}
	if err != nil {
		return nobody, false, err
	}
	file, fi, err := openRegular(d, name)
	if isNotExist(err) {
		return nobody, false, nil
	}
	if err != nil {
		return nobody, false, err
	}
	defer file.Close()
	if stampOf(fi) != f.Stamp {
		return nobody, false, nil
	}
	return writersOf(file), true, nil
}
