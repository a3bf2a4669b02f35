//go:build !linux

package seedserver

// standBack runs work: only Linux gives a thread a priority of its own.
func standBack(work func()) { work() }
