package seedserver

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// hashingNice is how much the threads that hash stand back, behind the seeding and behind other programs.
const hashingNice = 10

// standBack runs work on a thread of low priority.
func standBack(work func()) {
	hashing.enter()
	defer hashing.leave()
	runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine, so nothing else inherits the priority
	// On Linux a thread has a priority of its own, and 0 is the calling one. Without the right to stand back, go on as before.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, hashingNice)
	work()
}

// hashing is the process's one.
var hashing elbowRoom

// elbowRoom doubles the threads that run Go code at once while some of them stand back. A thread that the kernel makes wait keeps its
// turn to run Go code; without the others, seeding would wait with it: it loses half its rate beside hashing then, and none with them.
type elbowRoom struct {
	mu      sync.Mutex
	workers int
	usual   int // GOMAXPROCS before it was doubled; 0 when it is not
}

// elbowRoomLasts is how long the room stays after the last worker: many small files are hashed one after the other.
const elbowRoomLasts = 5 * time.Second

func (r *elbowRoom) enter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.workers++; r.usual == 0 {
		r.usual = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(2 * r.usual)
	}
}

func (r *elbowRoom) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.workers--; r.workers == 0 {
		time.AfterFunc(elbowRoomLasts, r.narrow)
	}
}

// narrow gives the room back if nobody works.
func (r *elbowRoom) narrow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.workers == 0 && r.usual != 0 {
		runtime.GOMAXPROCS(r.usual)
		r.usual = 0
	}
}
