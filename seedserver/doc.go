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
// # Limitations
//
// Torrents are BitTorrent v1. One process serves one directory.
package seedserver
