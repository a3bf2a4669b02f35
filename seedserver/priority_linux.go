package seedserver

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// hashingNice is how much the threads that hash stand back, behind the seeding and behind other programs.
const hashingNice = 10

// standBack runs work on a thread of low priority.
func standBack(work func()) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine, so nothing else inherits the priority
	// On Linux a thread has a priority of its own, and 0 is the calling one. Without the right to stand back, go on as before.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, hashingNice)
	work()
}
