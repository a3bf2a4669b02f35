package catalog

import (
	"context"
	"crypto/sha1"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// errChanged says that a file is not the one that was to be hashed.
var errChanged = errors.New("the file changed")

// hasher makes torrents of files.
type hasher struct {
	root   *os.Root
	store  Store
	wait   func(ctx context.Context, n int) error
	around func(work func())
	log    *slog.Logger
}

// hash answers a hashJob. Every file is compared with its stamp when it is
// opened and after the last byte was read. progress gets the part that is done.
func (h *hasher) hash(ctx context.Context, job *hashJob, progress func(part float64)) hashed {
	r := hashed{job: job}
	var total int64
	for _, f := range job.files {
		total += f.Stamp.Size
	}
	cfg := metainfo.BuildConfig{
		Name: job.name, Multi: job.unit, Private: job.private,
		PieceLength: job.pieceLength, Workers: 1, Wait: h.wait, Around: h.around,
		Files:    h.inputs(job),
		Progress: func(done, total int64) { progress(float64(done) / float64(total)) },
	}
	if cfg.PieceLength == 0 {
		cfg.PieceLength = metainfo.PieceLengthFor(total)
	}
	if job.large {
		cfg.Workers = runtime.NumCPU()
		h.resume(ctx, job, &cfg)
	}
	info, err := metainfo.Build(ctx, cfg)
	if ctx.Err() != nil {
		r.err = context.Cause(ctx)
		return r
	}
	if r.changed = h.changed(job.files); len(r.changed) > 0 {
		return r
	}
	if err == nil {
		r.info = info
		r.version, err = versionOf(job, info)
	}
	if err == nil {
		h.log.Info("hashed", "path", job.path, "infohash", r.version.InfoHash, "size", total)
	}
	r.err = err
	return r
}

// inputs returns the files as Build wants them.
func (h *hasher) inputs(job *hashJob) []metainfo.Input {
	inputs := make([]metainfo.Input, len(job.files))
	for i, f := range job.files {
		inputs[i] = metainfo.Input{Length: f.Stamp.Size, Open: func() (io.ReadCloser, error) { return h.open(f) }}
		if job.unit {
			inputs[i].Path = strings.Split(strings.TrimPrefix(f.Path[len(job.path):], "/"), "/")
		}
	}
	return inputs
}

// open opens f if it is as it was.
func (h *hasher) open(f FileStamp) (io.ReadCloser, error) {
	dir, name := split(f.Path)
	d, err := openDirectory(h.root, dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	file, fi, err := openRegular(d, name)
	if err != nil {
		return nil, err
	}
	if stampOf(fi) != f.Stamp {
		file.Close()
		return nil, errChanged
	}
	return file, nil
}

// changed returns the files that are not as they were. One that cannot be
// examined is left to the error that Build had with it.
func (h *hasher) changed(files []FileStamp) []string {
	folder := folder{root: h.root}
	defer folder.close()
	var changed []string
	for _, f := range files {
		dir, name := split(f.Path)
		d, err := folder.open(dir)
		if err == nil {
			var fi os.FileInfo
			if fi, err = d.Lstat(name); err == nil && stampOf(fi) != f.Stamp {
				err = errMoved
			}
		}
		if isNotExist(err) {
			changed = append(changed, f.Path)
		}
	}
	return changed
}

// resume lets cfg go on from the last checkpoint, and write new ones.
func (h *hasher) resume(ctx context.Context, job *hashJob, cfg *metainfo.BuildConfig) {
	last, err := h.store.Checkpoint(ctx, job.path)
	switch {
	case err != nil:
		h.log.Warn("checkpoint cannot be read, hashing from the start", "path", job.path, "err", err)
	case last.Stamp == job.stamp && last.PieceLength == cfg.PieceLength && last.fits():
		cfg.Done = last.Hashes
	}
	failed := false
	cfg.Checkpoint = func(leading []byte) {
		c := Checkpoint{Path: job.path, Stamp: job.stamp, PieceLength: cfg.PieceLength, Hashes: leading}
		// The last one is written while ctx ends.
		if err := h.store.SaveCheckpoint(context.WithoutCancel(ctx), c); err != nil && !failed {
			failed = true // say it once
			h.log.Warn("checkpoint cannot be saved", "path", job.path, "err", err)
		}
	}
}

// fits reports whether c can be of content as long as its stamp says.
func (c *Checkpoint) fits() bool {
	pieces := int64(len(c.Hashes) / sha1.Size)
	return len(c.Hashes)%sha1.Size == 0 && (pieces-1)*c.PieceLength < c.Stamp.Size
}

// hashInfo returns the infohash of a raw info dict (BEP 3).
func hashInfo(raw []byte) metainfo.InfoHash { return sha1.Sum(raw) }
