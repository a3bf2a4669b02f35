package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const module = "github.com/seedserver/bittorrent"

// lab is the workspace of a run: a temporary directory, the program built there, test data, and what other software there is.
type lab struct {
	options
	dir    string
	ours   string // cmd/seedserver, built
	commit string // of it
	others others
	began  time.Time
}

// newLab builds the program and looks for the others.
func newLab(ctx context.Context, o options) (*lab, error) {
	dir, err := os.MkdirTemp("", "seedserver-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, dir: dir, ours: filepath.Join(dir, "seedserver"), commit: commit(), began: time.Now()}
	if err := os.Chmod(dir, 0o755); err != nil { // opentracker gives up root's rights, and reads its list here
		return nil, err
	}
	l.say("building cmd/seedserver")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", l.ours, module+"/cmd/seedserver").CombinedOutput(); err != nil {
		l.close()
		return nil, fmt.Errorf("building: %w: %s", err, out)
	}
	l.others = findOthers(ctx, dir)
	return l, nil
}

func (l *lab) close() { _ = os.RemoveAll(l.dir) }

// say reports progress on standard error.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(l.began).Seconds(), fmt.Sprintf(format, args...))
}

// sizes returns those that -largest lets through.
func (l *lab) sizes(all ...int) []int {
	var some []int
	for _, n := range all {
		if n <= l.largest {
			some = append(some, n)
		}
	}
	return some
}

// content returns the directory that holds nothing but big.bin, made once: bytes that look random and are the same each time.
func (l *lab) content() (dir string, err error) {
	dir = filepath.Join(l.dir, "content")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	l.say("making %d MiB of test data", l.size>>20)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.Create(filepath.Join(dir, "big.bin"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return "", err
	}
	stream := cipher.StreamReader{S: cipher.NewCTR(block, make([]byte, 16)), R: zeros{}}
	if _, err := io.CopyN(f, stream, l.size); err != nil {
		return "", err
	}
	return dir, f.Close()
}

// zeros is a reader of nothing but zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// address is a free TCP and UDP port on loopback.
func address() (string, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		name := l.Addr().String()
		u, err := net.ListenPacket("udp", name)
		l.Close()
		if err == nil {
			return name, u.Close()
		}
	}
}

// machine describes where this runs, and what with.
func (l *lab) machine(ctx context.Context) string {
	versions := []string{"seedserver " + l.commit, goVersion(ctx)}
	return fmt.Sprintf("Machine: %s, Linux %s. %s. %s", processor(), kernel(), strings.Join(append(versions, l.others.versions()...), ", "), l.others.missing())
}
