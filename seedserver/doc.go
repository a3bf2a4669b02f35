// Package seedserver publishes the files of a directory with BitTorrent as easily as a web server does with HTTP.
//
// It only composes: what is decided, is decided in the packages below it.
//
//	catalog    which files of the directory are torrents, and when
//	swarm      one torrent's peers; one port for all of them
//	choke      who is served
//	storage    the bytes, and the guard that none but the published ones leave
//	budget     how fast, and how much in a month
//	access     who may see what
//	ledger     what was published and how many bytes left, across restarts
//	accesslog  lines for requests and peer sessions
//	web        what a browser or a client sees
//
// A [Server] is made of a [Config] and runs until its context ends. Its [Server.Handler] answers what the public listener answers
// and can be mounted in a web server of your own.
//
// # When things go wrong
//
// What a fault does not touch goes on. A state that cannot be written, a disk that fails to read and a limit of open files that is too
// small are troubles: logged once when they begin and once when they are over, and listed by the status pages and metrics in between.
// [Server.Run] ends by itself only when going on would do harm: the directory is gone, a listener broke. The README has a table of
// faults, of what holds, and of what the operator sees; cmd/seedserver/faults_*_test.go and state_test.go hold it with the real program.
//
// # Limitations
//
// Torrents are BitTorrent v1. One process serves one directory.
package seedserver
