package peerwire

import (
	"strconv"
	"strings"
)

// Client returns the name and version of the client that an id of BEP 20's customs speaks of, "Transmission 4.0.6"; of a code
// this package does not know, the code and version, "XY 1.2.3"; and "" where the id follows no custom. The text is safe to
// print whatever the peer sent. It is for people to read: any peer can claim any name.
func (id PeerID) Client() string {
	switch {
	case id[0] == '-' && id[7] == '-':
		return id.azureusStyle()
	case strings.HasPrefix(string(id[:]), "A2-"):
		return withVersion("aria2", dashedVersion(id[3:]))
	}
	return id.oneLetterStyle()
}

// azureusStyle reads "-", two letters of code, four of version, "-".
func (id PeerID) azureusStyle() string {
	code := string(id[1:3])
	c, known := clients[code]
	if !known {
		if !printableCode(code) {
			return ""
		}
		c.name = code
	}
	if c.version == nil {
		c.version = dotted
	}
	return withVersion(c.name, c.version(versionDigits(id[3:7])))
}

// oneLetterStyle reads the mainline style, "M7-9-2--", and Shadow's, "S58B-----": a letter and then a version.
func (id PeerID) oneLetterStyle() string {
	if id[0] == 'M' {
		if v := dashedVersion(id[1:]); v != "" {
			return "BitTorrent " + v
		}
		return ""
	}
	name := shadowClients[id[0]]
	digits := versionDigits(id[1:6])
	if name == "" || len(digits) == 0 || string(id[6:9]) != "---" {
		return ""
	}
	return withVersion(name, join(digits))
}

// dashedVersion reads "1-37-0-" as "1.37.0": numbers of one or two digits, each closed by a hyphen.
func dashedVersion(b []byte) string {
	var parts []int
	for len(parts) < 4 {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		if n == 0 || n > 2 || n == len(b) || b[n] != '-' {
			break
		}
		v, _ := strconv.Atoi(string(b[:n]))
		parts = append(parts, v)
		b = b[n+1:]
	}
	return join(parts)
}

// versionDigits returns the values of the leading letters of b that are version digits.
func versionDigits(b []byte) []int {
	digits := make([]int, 0, len(b))
	for _, c := range b {
		v := versionDigit(c)
		if v < 0 {
			break
		}
		digits = append(digits, v)
	}
	return digits
}

// versionDigit returns the value of one letter of a version: 0 to 9, A to Z from 10, a to z from 36; -1 of anything else.
func versionDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'A' && b <= 'Z':
		return int(b-'A') + 10
	case b >= 'a' && b <= 'z':
		return int(b-'a') + 36
	}
	return -1
}

func printableCode(code string) bool {
	for i := range len(code) {
		if versionDigit(code[i]) < 0 && code[i] != '~' {
			return false
		}
	}
	return true
}

// dotted is the usual reading of a version: "4065" is 4.0.6.5, and a last 0 is left out.
func dotted(d []int) string {
	if len(d) == 4 && d[3] == 0 {
		d = d[:3]
	}
	return join(d)
}

// threeDigits is for clients whose fourth letter marks the kind of build.
func threeDigits(d []int) string { return join(d[:min(len(d), 3)]) }

// twoPairs reads "0208" as 2.8.
func twoPairs(d []int) string {
	if len(d) < 4 {
		return ""
	}
	return join([]int{d[0]*10 + d[1], d[2]*10 + d[3]})
}

// bitComet reads "0196" as 1.96.
func bitComet(d []int) string {
	if len(d) < 4 {
		return ""
	}
	return join([]int{d[0]*10 + d[1]}) + "." + strconv.Itoa(d[2]) + strconv.Itoa(d[3])
}

// transmission reads "4060" as 4.0.6, and "2940" of the years before version 4 as 2.94.
func transmission(d []int) string {
	if len(d) < 3 || d[0] >= 4 {
		return threeDigits(d)
	}
	return strconv.Itoa(d[0]) + "." + strconv.Itoa(d[1]) + strconv.Itoa(d[2])
}

func join(d []int) string {
	var b strings.Builder
	for i, v := range d {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.Itoa(v))
	}
	return b.String()
}

func withVersion(name, version string) string {
	if version == "" {
		return name
	}
	return name + " " + version
}
