package admin

import (
	"context"
	"net/http"
	"runtime/pprof"
	"strconv"
	"time"
)

// maxProfile bounds how long a CPU profile may take.
const maxProfile = 5 * time.Minute

// serveProfile answers below /debug/pprof/ what go tool pprof asks for. It does without package net/http/pprof, which adds
// itself to the default handler of whatever program uses this one.
func (x *exchange) serveProfile(name string) {
	seconds, err := strconv.Atoi(x.r.URL.Query().Get("seconds"))
	if err != nil || seconds <= 0 {
		seconds = 30
	}
	if name == "profile" {
		x.serveCPUProfile(min(time.Duration(seconds)*time.Second, maxProfile))
		return
	}
	if name == "" {
		list := "profile\n"
		for _, p := range pprof.Profiles() {
			list += p.Name() + "\n"
		}
		x.text(http.StatusOK, list)
		return
	}
	p := pprof.Lookup(name)
	if p == nil {
		x.notFound()
		return
	}
	debug, err := strconv.Atoi(x.r.URL.Query().Get("debug"))
	if err != nil {
		debug = 0
	}
	x.w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if x.r.Method == http.MethodHead {
		return
	}
	if err := p.WriteTo(x.w, debug); err != nil {
		x.log.Debug("profile failed", "err", err)
	}
}

func (x *exchange) serveCPUProfile(d time.Duration) {
	x.w.Header().Set("Content-Type", "application/octet-stream")
	if x.r.Method == http.MethodHead {
		return
	}
	if err := pprof.StartCPUProfile(x.w); err != nil {
		x.text(http.StatusConflict, "A profile is being made already.\n")
		return
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), d)
	defer cancel()
	<-ctx.Done()
	pprof.StopCPUProfile()
}
