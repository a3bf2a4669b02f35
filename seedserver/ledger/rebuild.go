package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Rebuild moves the database in dir aside, whatever state it is in, so that the
// next [Open] starts with an empty one. It returns the new name of the
// database, or "" if there was none; nothing is deleted. Torrents stay where
// they are. It fails with a [LockedError] if a process has the directory open.
func Rebuild(dir string) (aside string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := makeDir(dir); err != nil {
		return "", err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()

	suffix := time.Now().UTC().Format(".damaged-20060102T150405.000000000")
	// The database last: a log left beside a new database would be read into it.
	for _, name := range []string{walName, shmName, databaseName} {
		from := filepath.Join(dir, name)
		to := filepath.Join(dir, databaseName+suffix+name[len(databaseName):])
		err := os.Rename(from, to)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("moving the state aside: %w", err)
		}
		if name == databaseName {
			aside = to
		}
	}
	return aside, nil
}
