//go:build !race

package piecepicker

const raceEnabled = false
