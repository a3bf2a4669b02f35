// Package piecepicker decides, for one torrent that we seed, which piece is shown to whom, and how fast.
package piecepicker
