package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program under measurement.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   tail
	ended chan struct{}
	err   error // of its end, once ended is closed
}

// start runs a program in dir until it is stopped or ctx ends. Variables for ours that the user may have set are kept from it.
func start(ctx context.Context, dir, program string, args ...string) (*process, error) {
	p := &process{name: program, cmd: exec.CommandContext(ctx, program, args...), ended: make(chan struct{})}
	p.cmd.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SEEDSERVER_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// finish runs a program to its end and returns how long it took, and its processor time.
func finish(ctx context.Context, dir, program string, args ...string) (wall, cpu time.Duration, err error) {
	begin := time.Now()
	p, err := start(ctx, dir, program, args...)
	if err != nil {
		return 0, 0, err
	}
	<-p.ended
	wall = time.Since(begin)
	if p.err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %s", program, p.err, p.out.String())
	}
	return wall, p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}

// await waits until ready says so. It is an error if the program ends before, or does not get there in two minutes; then it is stopped.
func (p *process) await(ctx context.Context, what string, ready func() bool) (err error) {
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	begin := time.Now()
	for !ready() {
		pause := max(2*time.Millisecond, time.Since(begin)/100) // looking must not cost what is measured
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.ended:
			return fmt.Errorf("%s ended before %s: %s", p.name, what, p.out.String())
		case <-limit.C:
			return fmt.Errorf("%s: waited in vain for %s: %s", p.name, what, p.out.String())
		}
	}
	return nil
}

// stop asks the program to end and returns how long that took. It is killed after half a minute.
func (p *process) stop() time.Duration {
	begin := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return time.Since(begin)
}

// usage is what the kernel says about a process.
type usage struct {
	cpu  float64 // seconds of processor time so far, in steps of 0.01
	anon float64 // bytes of anonymous memory
}

// usage reads it. A process that ended has used nothing.
func (p *process) usage() (u usage) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if _, after, ok := bytes.Cut(stat, []byte(") ")); ok {
		fields := strings.Fields(string(after))
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		u.cpu = (user + system) / 100
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if _, after, ok := strings.Cut(string(status), "RssAnon:"); ok {
		kib, _ := strconv.ParseFloat(strings.Fields(after)[0], 64)
		u.anon = kib * 1024
	}
	return u
}

// tail keeps the last of what a program prints. Many goroutines may write and read it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 8<<10 {
		t.text = append(t.text[:0], t.text[len(t.text)-4<<10:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
