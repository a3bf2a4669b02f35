//go:build race

package piecepicker

const raceEnabled = true
