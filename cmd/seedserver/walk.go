package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
)

// publishable lists the entries of dir that can become torrents: what serve would publish, without symbolic links, dot-files,
// junk and empty files.
func publishable(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		if catalog.Publishable(e.Name(), info.Mode()) && (e.IsDir() || info.Size() > 0) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// unitFiles lists the files below dir, sub-directories included, that belong into one torrent of it.
func unitFiles(dir string) ([]metainfo.Input, error) {
	var files []metainfo.Input
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case !catalog.Publishable(d.Name(), info.Mode()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		files = append(files, metainfo.Input{
			Path: strings.Split(rel, string(filepath.Separator)), Length: info.Size(),
			Open: func() (io.ReadCloser, error) { return os.Open(path) },
		})
		return err
	})
	return files, err
}
