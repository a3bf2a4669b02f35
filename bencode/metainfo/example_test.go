package metainfo_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

func ExampleParse() {
	b, err := os.ReadFile("testdata/torrents/v1_multi.torrent")
	if err != nil {
		log.Fatal(err)
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.InfoHash)
	fmt.Println(t.Info.Name, "in", t.Info.NumPieces(), "pieces of", t.Info.PieceLength)
	for _, f := range t.Info.Files {
		fmt.Println(strings.Join(f.Path, "/"), f.Length)
	}
	// Output:
	// c4dacfaf3927a851822fb35398acb25f3eca64e1
	// v1_multi in 6 pieces of 16384
	// b/d.bin 40000
	// b/c.bin 50000
	// e.empty 0
	// a.txt 10
}

func ExampleTorrent_Magnet() {
	b, err := os.ReadFile("testdata/torrents/v1_private.torrent")
	if err != nil {
		log.Fatal(err)
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Magnet())
	// Output:
	// magnet:?xt=urn:btih:f858eb44e29ffc6d24ec581ee90c907732cf082c&dn=p.bin&xl=20000&tr=http%3A%2F%2Ftracker.example%2Fannounce&tr=udp%3A%2F%2Ftracker.example%3A6969%2Fannounce
}

func ExampleParseMagnet() {
	m, err := metainfo.ParseMagnet("magnet:?xt=urn:btih:XJQY5K42FQ6I4GZPADAPBYOSYO2KLFUH&dn=a+b&tr=udp://tracker.example:6969")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.InfoHash, m.Name, m.Trackers)
	// Output:
	// ba618eab9a2c3c8e1b2f00c0f0e1d2c3b4a59687 a b [udp://tracker.example:6969]
}

// A torrent of a directory, as a file for clients.
func ExampleBuild() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"readme.txt", "b.bin", "a.bin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content of "+name), 0o644); err != nil {
			log.Fatal(err)
		}
	}

	cfg := metainfo.BuildConfig{Name: "album", Multi: true}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		stat, err := entry.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		cfg.Files = append(cfg.Files, metainfo.Input{
			Path:   strings.Split(filepath.ToSlash(rel), "/"),
			Length: stat.Size(),
			Open:   func() (io.ReadCloser, error) { return os.Open(path) },
		})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	info, err := metainfo.Build(context.Background(), cfg)
	if err != nil {
		log.Fatal(err)
	}
	t := metainfo.Torrent{Announce: "http://tracker.example/announce", InfoBytes: info}
	fmt.Println(metainfo.InfoHash(sha1.Sum(info)))
	fmt.Printf("%.90q\n", t.Encode())
	// Output:
	// 0a170d4f4ecd72db5cba81a7cd22d33cd7cee449
	// "d8:announce31:http://tracker.example/announce4:infod5:filesld6:lengthi16e4:pathl5:a.bineed"
}
