package storage_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seedserver/bittorrent/seedserver/storage"
)

// A file is published with the stamp it has, read, and refused once it was changed.
func Example() {
	dir, err := os.MkdirTemp("", "storage")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "hello.txt")
	if err := os.WriteFile(name, []byte("hello, swarm"), 0o600); err != nil {
		log.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	stamp, err := storage.StampOf(f)
	f.Close()
	if err != nil {
		log.Fatal(err)
	}

	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()
	pool := storage.NewPool(0)
	content, err := storage.Open(pool, root, []storage.File{
		{Path: "hello.txt", Length: stamp.Size, Stamp: stamp},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()

	block := make([]byte, 5)
	fmt.Println(content.ReadAt(block, 7), string(block))

	if err := os.WriteFile(name, []byte("goodbye"), 0o600); err != nil {
		log.Fatal(err)
	}
	err = content.ReadAt(block, 0)
	var changed *storage.ChangedError
	fmt.Println(errors.Is(err, storage.ErrChanged), errors.As(err, &changed) && changed.Suspect)
	fmt.Println(err)
	// Output:
	// <nil> swarm
	// true false
	// hello.txt changed since it was published: 7 bytes, was 12
}
