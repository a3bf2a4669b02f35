package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how far a long work has come: a bar on a terminal, a line every few seconds elsewhere. Its methods may be
// called from any goroutine.
type progress struct {
	what string
	w    io.Writer
	bars *mpb.Progress // nil when w is not a terminal
	bar  *mpb.Bar

	mu      sync.Mutex
	started time.Time
	printed time.Time
	total   int64
}

// linesEvery is how often a pipe gets a line.
const linesEvery = 5 * time.Second

// newProgress begins to show what is done; what may be text of strangers.
func newProgress(w io.Writer, what string, total int64) *progress {
	what = printable(what)
	p := &progress{what: what, w: w, total: total, started: time.Now(), printed: time.Now()}
	if !isTerminal(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(60))
	p.bar = p.bars.AddBar(total,
		mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name("  "), decor.AverageSpeed(decor.SizeB1024(0), "% .1f"),
			decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)))
	return p
}

// set says that done bytes of total are through.
func (p *progress) set(done, total int64) {
	if p.bar != nil {
		p.bar.SetTotal(total, false)
		p.bar.SetCurrent(done)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.printed) < linesEvery || total == 0 {
		return
	}
	p.printed = now
	rate := float64(done) / now.Sub(p.started).Seconds()
	fmt.Fprintf(p.w, "%s: %d %%, %s/s\n", p.what, done*100/total, humanBytes(int64(rate)))
}

// finish takes the bar away, complete or not.
func (p *progress) finish() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
