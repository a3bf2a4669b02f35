package seedserver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seedserver/bittorrent/piecepicker"
)

// Mode is how a torrent is seeded. In every mode but ModePlain we look like a leech that has nothing, reveal each piece to one
// peer at a time, and send it again only if it is needed: see package piecepicker.
type Mode string

const (
	// ModeConservative spends as few bytes as it can: once everything is out, the rate halves with each further copy.
	ModeConservative Mode = "conservative"
	// ModeBalanced halves the rate with every four copies.
	ModeBalanced Mode = "balanced"
	// ModeGenerous never slows down.
	ModeGenerous Mode = "generous"
	// ModePlain is an ordinary seed: it shows every piece and serves whoever asks, within its limits.
	ModePlain Mode = "plain"
)

// Modes returns all modes, the one that saves most first.
func Modes() []Mode { return []Mode{ModeConservative, ModeBalanced, ModeGenerous, ModePlain} }

// frugality orders the modes: those that save more come first.
func (m Mode) frugality() int { return slices.Index(Modes(), m) }

var pickerModes = map[Mode]piecepicker.Mode{
	ModeConservative: piecepicker.Conservative,
	ModeBalanced:     piecepicker.Balanced,
	ModeGenerous:     piecepicker.Generous,
}

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	var names []string
	for _, m := range Modes() {
		if s == string(m) {
			return m, nil
		}
		names = append(names, string(m))
	}
	return "", fmt.Errorf("mode %q: one of %s", s, strings.Join(names, ", "))
}
