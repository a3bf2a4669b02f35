package access

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	maxUsersFile = 8 << 20 // bytes
	maxCost      = 16      // of bcrypt: seconds
)

// users are those of an htpasswd file.
type users struct {
	byName map[string]account
	// decoy is what the password of a user that does not exist is compared with, so that it takes as long.
	decoy []byte
}

// account is one line of the file.
type account struct {
	hash  []byte            // bcrypt
	epoch [sha256.Size]byte // of the whole line: when it changes, what was issued ends
}

// readUsers reads an htpasswd file: lines of NAME:HASH or NAME:HASH:MORE, where HASH is bcrypt's, as "htpasswd -B" writes them.
// Empty lines, and those that start with "#", count for nothing. Errors name the line, never what is in it.
func readUsers(r io.Reader) (*users, error) {
	us := &users{byName: map[string]account{}}
	lines := bufio.NewScanner(io.LimitReader(r, maxUsersFile))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, ":")
		hash, _, _ := strings.Cut(rest, ":")
		cost, err := bcrypt.Cost([]byte(hash))
		switch _, twice := us.byName[name]; {
		case name == "":
			return nil, fmt.Errorf("line %d has no name", n)
		case err != nil:
			return nil, fmt.Errorf("line %d has no bcrypt hash: write it with htpasswd -B", n)
		case cost > maxCost:
			return nil, fmt.Errorf("line %d has a bcrypt cost of %d; more than %d takes too long", n, cost, maxCost)
		case twice:
			return nil, fmt.Errorf("line %d has a name that another line has", n)
		}
		us.byName[name] = account{hash: []byte(hash), epoch: sha256.Sum256([]byte(line))}
		us.decoy = []byte(hash)
	}
	return us, lines.Err()
}

// openUsers reads the file at path. Its owner decides who gets in, so it must not be writable by others.
func openUsers(path string) (*users, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, errors.New("not a regular file")
	case info.Size() > maxUsersFile:
		return nil, nil, fmt.Errorf("longer than %d bytes", maxUsersFile)
	case info.Mode()&0o022 != 0 && os.PathSeparator == '/':
		return nil, nil, errors.New("writable by group or others: chmod go-w it")
	}
	us, err := readUsers(f)
	return us, info, err
}
