package tracker

import "strings"

// maxText bounds a text that is shown to the user, in bytes.
const maxText = 512

// Text makes the words of a tracker, a refusal or a warning, fit for a terminal
// and a log: valid UTF-8 without control characters, 512 bytes of it at most.
func Text(b []byte) string {
	if len(b) > maxText {
		b = b[:maxText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return ' ' // the last two change the direction of what follows
		}
		return r
	}, strings.TrimRight(strings.ToValidUTF8(string(b), "\uFFFD"), "\x00 "))
}
