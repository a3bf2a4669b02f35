package seedserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// A plainFile is a file that is being saved from a web server: its bytes so far in NAME.part, and in NAME.part.json which file of
// the server they are of.
type plainFile struct {
	path  string // the file's own
	root  *os.Root
	base  string
	part  *os.File
	have  int64
	total int64 // negative when not known
	moved bool  // something came since the request
	of    origin
}

// An origin says which version of a server's file the bytes are of.
type origin struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // its ETag, or else its date; empty if it has none, and cannot be gone on with
}

const (
	partSuffix   = ".part"
	originSuffix = ".part.json"
)

// openPlain opens the file to save to, with what an earlier call left of it.
func openPlain(name, url string, overwrite bool) (*plainFile, error) {
	dir, base := filepath.Dir(name), filepath.Base(name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	p := &plainFile{path: name, root: root, base: base, total: -1}
	if taken := p.taken(); taken != "" && !overwrite {
		root.Close()
		return nil, fmt.Errorf("%s is there already: choose another place with --saveas, or replace it with --overwrite", filepath.Join(dir, taken))
	}
	if p.part, err = root.OpenFile(base+partSuffix, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		root.Close()
		return nil, err
	}
	if p.left(url) {
		p.have, err = p.part.Seek(0, io.SeekEnd)
	} else {
		p.of.URL = url
		err = p.part.Truncate(0)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// taken returns which file is in the way: one of that name, or a part that another program began.
func (p *plainFile) taken() string {
	if _, err := p.root.Lstat(p.base); err == nil {
		return p.base
	}
	if info, err := p.root.Lstat(p.base + partSuffix); err != nil || info.Size() == 0 {
		return ""
	}
	if _, err := p.root.Lstat(p.base + originSuffix); err == nil {
		return "" // ours
	}
	return p.base + partSuffix
}

// left reports whether what is in the part is of the server's file at url, and can be gone on with.
func (p *plainFile) left(url string) bool {
	b, err := p.root.ReadFile(p.base + originSuffix)
	if err != nil || json.Unmarshal(b, &p.of) != nil || p.of.URL != url || p.of.Validator == "" {
		p.of = origin{}
		return false
	}
	return true
}

// ask makes a request one for the rest of the file, if that is still the same.
func (p *plainFile) ask(req *http.Request) {
	p.moved = false
	if p.have > 0 && p.of.Validator != "" {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.have))
		req.Header.Set("If-Range", p.of.Validator)
	}
}

func (p *plainFile) startOver() {
	p.have, p.total = 0, -1
	p.part.Truncate(0)
	p.part.Seek(0, io.SeekStart)
}

// accept takes over what a response says of the file, and reports whether its body is what comes next.
func (p *plainFile) accept(resp *http.Response) error {
	var from, to, total int64
	if resp.StatusCode == http.StatusPartialContent {
		_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
		if err != nil || from != p.have || to < from || total <= to {
			return fmt.Errorf("%s answers with another part than was asked for", p.of.URL)
		}
		p.total = total
		return nil
	}
	p.startOver()
	p.total = resp.ContentLength
	p.of.Validator = validator(resp)
	b, err := json.Marshal(p.of)
	if err != nil {
		return err
	}
	return p.root.WriteFile(p.base+originSuffix, b, 0o666)
}

// validator returns what names this version of the file for If-Range: a strong ETag, or a date (RFC 9110, section 13.1.5).
func validator(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return resp.Header.Get("Last-Modified")
}

func (p *plainFile) Write(b []byte) (int, error) {
	n, err := p.part.Write(b)
	p.have += int64(n)
	p.moved = p.moved || n > 0
	return n, err
}

// finish gives the file its name.
func (p *plainFile) finish() error {
	err := p.part.Close()
	p.part = nil
	if err == nil {
		err = p.root.Rename(p.base+partSuffix, p.base)
	}
	p.root.Remove(p.base + originSuffix)
	return err
}

func (p *plainFile) close() {
	if p.part != nil {
		p.part.Close()
	}
	p.root.Close()
}

// plain saves the body of a response as a file.
func (f *webFetch) plain(resp *http.Response, cancel func(), pp **plainFile) (*Fetched, time.Duration, error) {
	p := *pp
	if p == nil {
		name := f.cfg.Path
		if name == "" {
			var err error
			if name, err = fileName(f.url); err != nil {
				return nil, 0, err
			}
		}
		var err error
		if p, err = openPlain(name, f.url.String(), f.cfg.Overwrite); err != nil {
			return nil, 0, err
		}
		*pp = p
		if p.have > 0 { // another request, for the rest
			return nil, time.Millisecond, errors.New("going on where it was")
		}
	}
	if err := p.accept(resp); err != nil {
		return nil, 0, err
	}
	if free, known := storage.FreeSpace(p.root); known && p.total-p.have > free {
		return nil, 0, fmt.Errorf("%s needs %v more, and there are %v free where it goes", p.path, budget.Bytes(p.total-p.have), budget.Bytes(free))
	}
	if err := f.copy(p, resp.Body, cancel); err != nil {
		if errors.Is(err, errNoUse) {
			return nil, 0, err
		}
		return nil, 5 * time.Second, err
	}
	if p.total >= 0 && p.have < p.total {
		return nil, 5 * time.Second, fmt.Errorf("%s ended early", f.url.Redacted())
	}
	if err := p.finish(); err != nil {
		return nil, 0, err
	}
	return &Fetched{Path: p.path, Size: p.have, Local: f.local.Load()}, 0, nil
}

// errNoUse is wrapped by errors that trying again does not mend.
var errNoUse = errors.New("not tried again")

// copy saves what comes, as long as something does.
func (f *webFetch) copy(p *plainFile, body io.Reader, cancel func()) error {
	limit := p.total
	if limit < 0 {
		if limit = f.cfg.MaxSize; limit == 0 {
			limit = maxPlainUnsaid
		}
	}
	idle := time.AfterFunc(fetchIdle, cancel)
	defer idle.Stop()
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		idle.Reset(fetchIdle)
		if p.have+int64(n) > limit {
			return fmt.Errorf("%s sends more than %v: %w", f.url.Redacted(), budget.Bytes(limit), errNoUse)
		}
		if _, err := p.Write(buf[:n]); err != nil {
			return fmt.Errorf("%w: %w", errNoUse, err)
		}
		if f.cfg.Progress != nil {
			f.cfg.Progress(p.path, p.have, p.total)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.url.Redacted(), err)
		}
	}
}
