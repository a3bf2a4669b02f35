// Command bench measures this repository's programs, and beside them, in the same run, the software that people use today.
//
//	go run ./cmd/bench                          all sections, as markdown on standard output; a good ten minutes on two cores
//	go run ./cmd/bench seeding tracker          these sections only
//	go run ./cmd/bench -o cmd/bench/RESULTS.md  write them into that file, each in the place of what was there of it
//	go run ./cmd/bench -n 1 -largest 1000       a quick look
//	go run ./cmd/bench -list                    what there is
//
// It builds cmd/seedserver, makes its test data in a temporary directory, and removes all of it at the end. Everything runs on loopback.
// Of other software it uses what is installed, and says what is not: libtorrent (python3-libtorrent), opentracker, mktorrent, aria2.
//
// # How figures come about
//
// Each figure is the median of -n rounds, with the smallest and the largest in brackets. In each round all programs take their turn, so that
// what disturbs the machine for a minute disturbs all of them. Load comes from this command itself and is the same for everybody: it is on
// the same machine and takes its share of the processors, so compare the columns of one table, and not tables of two machines.
// Processor time and anonymous memory are the kernel's, from /proc, of the measured process alone.
//
// # Files
//
// A section is one file: seeding.go, connections.go, torrents.go, tracker.go, hashing.go, download.go, code.go. What they share: lab.go has the
// workspace, process.go a program under measurement, ours.go and others.go start the programs, link.go is one connection of a load
// generator, table.go keeps figures and prints them, report.go puts sections into a file.
//
// # Limitations
//
// It reads /proc and thus runs on Linux. 10,000 connections need a limit of as many open files (ulimit -Hn).
package main
