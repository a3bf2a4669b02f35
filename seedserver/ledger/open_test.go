package ledger

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// copyDir copies a state directory as a crash would leave it: no process has it open.
func copyDir(t testing.TB, from string) string {
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}

// damage overwrites the pages of the database in dir from the given one on, counted from 0, up to another one if that is given.
func damage(t testing.TB, dir string, from int64, to ...int64) {
	f, err := os.OpenFile(filepath.Join(dir, databaseName), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	const page = 4096
	end := info.Size()
	if len(to) > 0 {
		end = to[0] * page
	}
	for off := from * page; off < end; off += page {
		_, err = f.WriteAt([]byte("this is not a page of a database"), off)
		require.NoError(t, err)
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing on Windows; run on any other system")
	}
	mode := func(path ...string) os.FileMode {
		info, err := os.Stat(filepath.Join(path...))
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	check := func(dir string) {
		require.Equal(t, os.FileMode(0o700), mode(dir))
		require.Equal(t, os.FileMode(0o700), mode(dir, "torrents"))
		for _, name := range []string{"state.db", "state.db-wal", "state.db-shm", "lock", "torrents/" + torrentName([20]byte{})} {
			require.Equal(t, os.FileMode(0o600), mode(dir, name), name)
		}
	}
	dir := filepath.Join(t.TempDir(), "a", "state")
	l := open(t, dir)
	require.NoError(t, l.WriteTorrent(t.Context(), Torrent{}))
	check(dir)

	t.Run("made narrow again", func(t *testing.T) {
		require.NoError(t, l.Close())
		for _, path := range []string{"", "torrents"} {
			require.NoError(t, os.Chmod(filepath.Join(dir, path), 0o755))
		}
		require.NoError(t, os.Chmod(filepath.Join(dir, "state.db"), 0o644))
		open(t, dir)
		check(dir)
	})
	t.Run("an empty directory that others may enter", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o755))
		open(t, dir)
		require.Equal(t, os.FileMode(0o700), mode(dir))
	})
	t.Run("somebody else's directory", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "letter"), nil, 0o644))
		_, err := Open(t.Context(), dir)
		require.ErrorContains(t, err, dir)
		require.Equal(t, os.FileMode(0o755), mode(dir))
	})
}

func TestOddDirectoryNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% off? #1 & more;mode=ro é")
	l := open(t, dir)
	_, err := l.AddVersion(t.Context(), version("a", 1))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, databaseName))
	require.Len(t, versions(t, reopen(t, l)), 1)
}

func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var locked *LockedError
	_, err := Open(t.Context(), dir)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorAs(t, err, &locked)
	require.Equal(t, os.Getpid(), locked.PID)
	require.ErrorContains(t, err, strconv.Itoa(os.Getpid()))
	_, err = Rebuild(dir)
	require.ErrorIs(t, err, ErrLocked)

	_, err = l.AddVersion(t.Context(), version("a", 1))
	require.NoError(t, err, "the first opener is not disturbed")
	require.NoError(t, l.Close())
	require.NoError(t, l.Close(), "closing twice is harmless")
	require.Len(t, versions(t, open(t, dir)), 1)
}

// TestKilled publishes in another process and kills it without warning. Whatever it was told is recorded is there.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("LEDGER_TEST_PUBLISH_IN"); dir != "" {
		publishForEver(t, dir)
		return
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "LEDGER_TEST_PUBLISH_IN="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	last := -1
	for last < 30 && lines.Scan() {
		last, err = strconv.Atoi(lines.Text())
		require.NoError(t, err)
	}

	var locked *LockedError
	_, err = Open(t.Context(), dir)
	require.ErrorAs(t, err, &locked)
	require.Equal(t, child.Process.Pid, locked.PID)

	require.NoError(t, child.Process.Kill())
	for lines.Scan() { // what it said before it died
		last, err = strconv.Atoi(lines.Text())
		require.NoError(t, err)
	}
	require.Error(t, child.Wait())

	l := open(t, dir)
	live := versions(t, l)
	require.Greater(t, len(live), last)
	for i, v := range live {
		require.Equal(t, fmt.Sprint(i), v.Path)
	}
	for _, v := range live[:last+1] {
		_, err := l.ReadTorrent(v.InfoHash)
		require.NoError(t, err)
	}
	require.Greater(t, written(t, l), int64(last))
}

func publishForEver(t *testing.T, dir string) {
	l, err := Open(t.Context(), dir)
	require.NoError(t, err)
	for i := 0; ; i++ {
		v := version(fmt.Sprint(i), i)
		require.NoError(t, l.WriteTorrent(t.Context(), Torrent{v.InfoHash, []byte("d")}))
		_, err := l.AddVersion(t.Context(), v)
		require.NoError(t, err)
		l.AddBytes(published, 0, ClassPlain, 1)
		require.NoError(t, l.Flush(t.Context()))
		fmt.Println(i)
	}
}

// TestCopiedMidway reads a copy of the files that a process has open and in the middle of a transaction: what was recorded
// is there, what was not is not.
func TestCopiedMidway(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	want := []Version{version("a", 1), unit("b", 2)}
	require.NoError(t, l.AddVersions(t.Context(), want))
	l.AddBytes(published, 1, ClassPlain, 5)
	require.NoError(t, l.Flush(t.Context()))
	l.AddBytes(published, 1, ClassPlain, 100)

	var half string
	err := l.update(t.Context(), "stopping halfway", func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE version SET retired = 1; INSERT INTO file (path) VALUES ('c')")
		require.NoError(t, err)
		half = copyDir(t, dir)
		return io.ErrUnexpectedEOF
	})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	for _, state := range []*Ledger{l, open(t, half)} {
		require.Equal(t, want, versions(t, state))
		require.Len(t, files(t, state), 2)
		require.EqualValues(t, 5, written(t, state))
	}
}

func TestDamaged(t *testing.T) {
	sound := t.TempDir()
	l := open(t, sound)
	var batch []Version
	for i := range 500 {
		batch = append(batch, version(fmt.Sprint(i), i))
	}
	require.NoError(t, l.AddVersions(t.Context(), batch))
	require.NoError(t, l.Close())

	for _, tt := range []struct {
		name string
		harm func(t *testing.T, dir string)
	}{
		{"first page", func(t *testing.T, dir string) { damage(t, dir, 0) }},
		{"other pages", func(t *testing.T, dir string) { damage(t, dir, 1) }},
		{"not a database", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, databaseName), make([]byte, 10_000), 0o600))
		}},
		{"cut off", func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, databaseName), 20_000))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyDir(t, sound)
			tt.harm(t, dir)
			before, err := os.ReadFile(filepath.Join(dir, databaseName))
			require.NoError(t, err)

			// What does not show when it is opened shows when it is read, which a server does at once.
			l, err := Open(t.Context(), dir)
			if err == nil {
				_, err = l.Versions(t.Context())
				require.NoError(t, l.Close())
			}
			var damaged *DamagedError
			require.ErrorIs(t, err, ErrDamaged)
			require.ErrorAs(t, err, &damaged)
			require.Equal(t, filepath.Join(dir, databaseName), damaged.Path)
			require.ErrorContains(t, err, "--rebuild-state")
			after, err := os.ReadFile(filepath.Join(dir, databaseName))
			require.NoError(t, err)
			require.Equal(t, before, after, "left as it is")

			aside, err := Rebuild(dir)
			require.NoError(t, err)
			moved, err := os.ReadFile(aside)
			require.NoError(t, err)
			require.Equal(t, before, moved, "moved, not deleted")
			fresh := open(t, dir)
			require.Empty(t, versions(t, fresh))
			_, err = fresh.AddVersion(t.Context(), version("a", 1))
			require.NoError(t, err)
		})
	}
}

// TestDamagedWhenKilled: after a crash everything is looked through at once, not only what is read first.
func TestDamagedWhenKilled(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var batch []Version
	for i := range 500 {
		batch = append(batch, version(fmt.Sprint(i), i))
	}
	require.NoError(t, l.AddVersions(t.Context(), batch))
	l = reopen(t, l) // writes the log into the database
	require.NoError(t, l.SavePickers(t.Context(), []Picker{{State: []byte("x")}}))
	crashed := copyDir(t, dir)
	info, err := os.Stat(filepath.Join(crashed, walName))
	require.NoError(t, err)
	require.NotZero(t, info.Size())
	damage(t, crashed, 14)
	_, err = Open(t.Context(), crashed)
	require.ErrorIs(t, err, ErrDamaged)
}

func TestRebuild(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	aside, err := Rebuild(dir)
	require.NoError(t, err)
	require.Empty(t, aside, "nothing was there")

	// A log that a crash left goes with its database: it must not be read into the new one.
	l := open(t, dir)
	_, err = l.AddVersion(t.Context(), version("a", 1))
	require.NoError(t, err)
	require.NoError(t, l.WriteTorrent(t.Context(), Torrent{Data: []byte("d")}))
	crashed := copyDir(t, dir)
	first, err := Rebuild(crashed)
	require.NoError(t, err)
	require.FileExists(t, first)
	require.FileExists(t, first+"-wal")
	fresh := open(t, crashed)
	require.Empty(t, versions(t, fresh))
	_, err = fresh.ReadTorrent([20]byte{})
	require.NoError(t, err)
	require.NoError(t, fresh.Close())

	second, err := Rebuild(crashed)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	require.FileExists(t, first)
}

// old returns a state directory whose database has gone through steps only, with an entry in it.
func old(t *testing.T, steps []string) string {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", dataSource(filepath.Join(dir, databaseName), forChanges()))
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, migrate(t.Context(), db, steps))
	_, err = db.Exec("INSERT INTO file (path) VALUES ('kept')")
	require.NoError(t, err)
	return dir
}

func TestMigrate(t *testing.T) {
	steps := []string{
		"CREATE TABLE file (path TEXT)",
		"ALTER TABLE file ADD COLUMN size INTEGER NOT NULL DEFAULT 7; CREATE TABLE other (x)",
		"UPDATE file SET size = size + 1",
	}
	for from := 1; from <= len(steps); from++ {
		t.Run(fmt.Sprint("from ", from), func(t *testing.T) {
			db, err := sql.Open("sqlite", dataSource(filepath.Join(old(t, steps[:from]), databaseName), forChanges()))
			require.NoError(t, err)
			defer db.Close()
			require.NoError(t, migrate(t.Context(), db, steps))
			require.NoError(t, migrate(t.Context(), db, steps), "a second time changes nothing")
			var path string
			var size, version int
			require.NoError(t, db.QueryRow("SELECT path, size FROM file").Scan(&path, &size))
			require.Equal(t, "kept", path)
			want := 8
			if from == len(steps) {
				want = 7 // entered after the last step
			}
			require.Equal(t, want, size)
			require.NoError(t, db.QueryRow("PRAGMA user_version").Scan(&version))
			require.Equal(t, len(steps), version)
		})
	}
	t.Run("a step fails: all or nothing", func(t *testing.T) {
		db, err := sql.Open("sqlite", dataSource(filepath.Join(old(t, steps[:1]), databaseName), forChanges()))
		require.NoError(t, err)
		defer db.Close()
		require.ErrorContains(t, migrate(t.Context(), db, []string{steps[0], steps[1], "CREATE TABLE file (again)"}), "schema 3")
		var version, tables int
		require.NoError(t, db.QueryRow("PRAGMA user_version").Scan(&version))
		require.Equal(t, 1, version)
		require.NoError(t, db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").Scan(&tables))
		require.Equal(t, 1, tables)
	})
}

func TestNewer(t *testing.T) {
	dir := old(t, append(schema[:len(schema):len(schema)], "CREATE TABLE future (x)"))
	before, err := os.ReadFile(filepath.Join(dir, databaseName))
	require.NoError(t, err)
	var newer *NewerError
	_, err = Open(t.Context(), dir)
	require.ErrorIs(t, err, ErrNewer)
	require.ErrorAs(t, err, &newer)
	require.Equal(t, NewerError{Found: len(schema) + 1, Known: len(schema)}, *newer)
	require.NotErrorIs(t, err, ErrDamaged)
	after, err := os.ReadFile(filepath.Join(dir, databaseName))
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestForeign: a database of another program is not written to.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", dataSource(filepath.Join(dir, databaseName), forChanges()))
	require.NoError(t, err)
	_, err = db.Exec("CREATE TABLE file (theirs)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(t.Context(), dir)
	require.ErrorContains(t, err, "already exists")
}

func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.AddVersion(ctx, version("a", 1))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, versions(t, l), "and the ledger still works")
	_, err = l.AddVersion(t.Context(), version("a", 1))
	require.NoError(t, err)
}
