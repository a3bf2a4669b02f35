package main

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// verifyCmd compares data with the piece hashes of a torrent.
type verifyCmd struct {
	Torrent string `arg:"" help:"The .torrent file." type:"path"`
	Path    string `arg:"" optional:"" help:"The file or directory it describes (default: its name beside the .torrent file)." type:"path"`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// verdict is the outcome of a verification.
type verdict struct {
	Complete  bool     `json:"complete"`
	Pieces    int      `json:"pieces"`
	BadPieces []int    `json:"bad_pieces,omitempty"`
	BadFiles  []string `json:"bad_files,omitempty"` // files missing, of another length, or touched by a bad piece
}

func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	t, err := readTorrent(c.Torrent)
	if err != nil {
		return err
	}
	data := c.Path
	if data == "" {
		data = filepath.Join(filepath.Dir(c.Torrent), t.Info.Name)
	}
	v, err := verify(ctx, s, t.Info, data)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(v); err != nil {
			return err
		}
	} else {
		v.print(s, data)
	}
	if !v.Complete {
		return fmt.Errorf("%s is not what %s describes", data, c.Torrent)
	}
	return nil
}

func (v *verdict) print(s streams, data string) {
	if v.Complete {
		fmt.Fprintf(s.out, "%s is complete: %d pieces match\n", data, v.Pieces)
		return
	}
	for _, f := range v.BadFiles {
		fmt.Fprintf(s.out, "bad  %s\n", printable(f))
	}
	if n := len(v.BadPieces); n > 0 {
		fmt.Fprintf(s.out, "%d of %d pieces do not match\n", n, v.Pieces)
	}
}

// verify checks names and lengths first, then every byte.
func verify(ctx context.Context, s streams, info *metainfo.Info, data string) (*verdict, error) {
	v := &verdict{Pieces: info.NumPieces()}
	root, files, bad, err := dataFiles(info, data)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if v.BadFiles = bad; len(bad) > 0 {
		return v, nil
	}
	content, err := storage.Open(storage.NewPool(0), root, files)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	bar := newProgress(s.err, "verifying "+info.Name, info.Length())
	v.BadPieces, err = badPieces(ctx, content, info, bar.set)
	bar.finish()
	if err != nil {
		return nil, err
	}
	v.BadFiles = filesOf(info, v.BadPieces)
	v.Complete = len(v.BadPieces) == 0
	return v, nil
}

// dataFiles stamps the files that info names below data. bad lists those that are missing or of another length.
func dataFiles(info *metainfo.Info, data string) (root *os.Root, files []storage.File, bad []string, err error) {
	dir := data
	if !info.Multi {
		dir = filepath.Dir(data)
	}
	if root, err = os.OpenRoot(dir); err != nil {
		return nil, nil, nil, err
	}
	for _, f := range info.Files {
		file := storage.File{Path: path.Join(f.Path...), Length: f.Length, Pad: f.Pad}
		if !info.Multi {
			file.Path = filepath.Base(data)
		}
		if !f.Pad {
			stamp, err := stampOf(root, file.Path)
			if err != nil || stamp.Size != f.Length {
				bad = append(bad, file.Path)
			}
			file.Stamp = stamp
		}
		files = append(files, file)
	}
	return root, files, bad, nil
}

func stampOf(root *os.Root, name string) (storage.Stamp, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return storage.Stamp{}, err
	}
	stamp, err := storage.StampOf(f)
	return stamp, errors.Join(err, f.Close())
}

// badPieces hashes all of content, on all cores, and returns the pieces that do not match, in order.
func badPieces(ctx context.Context, content *storage.Content, info *metainfo.Info, progress func(done, total int64)) ([]int, error) {
	var (
		next, done atomic.Int64
		mu         sync.Mutex
		bad        []int
		workers    sync.WaitGroup
	)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range min(runtime.GOMAXPROCS(0), info.NumPieces()) {
		workers.Go(func() {
			buf := make([]byte, 256<<10)
			for piece := int(next.Add(1) - 1); piece < info.NumPieces() && ctx.Err() == nil; piece = int(next.Add(1) - 1) {
				sum, err := hashPiece(content, info, piece, buf)
				if err != nil {
					cancel(err)
					return
				}
				if sum != info.PieceHash(piece) {
					mu.Lock()
					bad = append(bad, piece)
					mu.Unlock()
				}
				progress(done.Add(info.PieceSize(piece)), info.Length())
			}
		})
	}
	workers.Wait()
	slices.Sort(bad)
	return bad, context.Cause(ctx)
}

func hashPiece(content *storage.Content, info *metainfo.Info, piece int, buf []byte) (sum [sha1.Size]byte, err error) {
	h := sha1.New()
	offset := int64(piece) * info.PieceLength
	for end := offset + info.PieceSize(piece); offset < end; {
		b := buf[:min(int64(len(buf)), end-offset)]
		if err := content.ReadAt(b, offset); err != nil {
			return sum, err
		}
		h.Write(b)
		offset += int64(len(b))
	}
	return [sha1.Size]byte(h.Sum(nil)), nil
}

// filesOf lists the files that the pieces touch, each once.
func filesOf(info *metainfo.Info, pieces []int) []string {
	var names []string
	for _, f := range info.Files {
		touched := slices.ContainsFunc(pieces, func(p int) bool {
			start := int64(p) * info.PieceLength
			return start < f.Offset+f.Length && f.Offset < start+info.PieceSize(p)
		})
		if touched && !f.Pad {
			names = append(names, path.Join(f.Path...))
		}
	}
	return names
}
